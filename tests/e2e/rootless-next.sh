#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme rootless with the podman, crun and runc of the Debian release after this one, where their files can be had: $next_release, see run. Its
# networks are pasta's.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

if [ ! -d "${next_release-}" ]; then
    skip "rootless podman of Debian's next release" "${next_release:-there is no tree of it}"
    finish
fi
# shellcheck source=portable.sh
. "$lib/portable.sh"
hooks=$portable/hooks.d
in_tree=("$lib/in-tree" "$next_release")

rootless_up
version="podman $(as "$user" podman --version | awk '{ print $3 }')"
for runtime in runc crun; do
    targets="$host_second_v4 $alias_pasta"
    jailed_and_not "$runtime, pasta" "$runtime" 'reached reached reached reached'
    jailed_and_not "$runtime, bridge" "$runtime" 'reached reached reached reached' --network=bridge
    jailed_and_not "$runtime, keep-id" "$runtime" 'reached reached reached reached' --userns=keep-id
    # It lays the container's own cgroups over the host's, which podman 4.3 leaves in reach.
    targets="$host_v4 127.0.0.1"
    jailed_and_not "$runtime, host's network" "$runtime" 'reached reached reached reached' --network=host
    lives_on "$runtime" "$host_second_v4"
done
finish
