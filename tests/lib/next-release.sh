# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# podman, crun and runc of the Debian release after this one, where their files can be had ($next_release, see tests/e2e/run), to be sourced after
# containers.sh. Sets $podman, the command, and $portable_hooks, JSON for it; ends the theme where there is no such release.

: "${lib:?}"
if [ ! -d "${next_release-}" ]; then
    skip "podman of Debian's next release" "${next_release:-there is no tree of it}"
    finish
fi

# shellcheck source=portable.sh
. "$lib/portable.sh"
# shellcheck disable=SC2034 # for those who source this
podman=("$lib/in-tree" "$next_release" podman) portable_hooks=$portable/hooks.d
