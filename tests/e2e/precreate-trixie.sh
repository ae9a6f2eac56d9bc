#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme precreate with the podman, crun and runc of Debian 13, where their files can be had: $trixie_tree, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=families.sh
. "$lib/families.sh"

# shellcheck source=portable.sh
. "$lib/portable.sh"
hooks=$portable/hooks.d
podman=("$lib/in-tree" "$trixie_tree" podman)
number=$("${podman[@]}" --version | awk '{ print $3 }')
for runtime in crun runc; do
    version="podman $number, $runtime"
    check_podman
done
finish
