#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme rootless with the podman, crun and runc of Debian 13, if no other theme says whose: $trixie_tree, see run. Its networks are pasta's.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

# shellcheck source=portable.sh
. "$lib/portable.sh"
hooks=$portable/hooks.d
in_tree=("$lib/in-tree" "$engine_tree")

# own_address NAME RUNTIME OPTION...: pasta gives the container the host's address; there it is itself, from its first instruction, and nobody else
own_address() {
    local name="$version: $1" runtime=$2
    shift 2
    if ! start rootless "$runtime" "$@" "${jailed[@]}" -- /probe listen tcp "$host_v4" "$own_port" hello -- udp "$host_v4" "$own_port" -- \
        tcp "$host_v6" "$own_port" hello "then" tcp "$host_v4" "$own_port" -- udp "$host_v4" "$own_port" -- \
        tcp "$host_v6" "$own_port" -- tcp "$host_v4" "$port" -- tcp "$host_second_v4" "$port" -- tcp "$alias_pasta" "$port" -- \
        tcp "$internet_v4" "$port"; then
        not_ok "$name: starts, with the host's address" "$(why rootless)"
        return
    fi
    equal "$name: the host's address is the container, and the host stays out of reach" \
        'reached reached reached ECONNREFUSED EPERM EPERM reached' "$(results)"
    equal "$name: nothing else is denied" 2 "$(denials "$(cgroup_of rootless)" | awk '$1 != "multicast" { sum += $2 } END { print sum }')"
    remove "$runtime" rootless
}

rootless_up
version="podman $(as "$user" podman --version | awk '{ print $3 }')"
for runtime in runc crun; do
    targets="$host_second_v4 $alias_pasta"
    jailed_and_not "$runtime, pasta" "$runtime" 'reached reached reached reached'
    jailed_and_not "$runtime, bridge" "$runtime" 'reached reached reached reached' --network=bridge
    jailed_and_not "$runtime, keep-id" "$runtime" 'reached reached reached reached' --userns=keep-id
    own_address "$runtime, pasta" "$runtime"
    own_address "$runtime, keep-id" "$runtime" --userns=keep-id
    # It lays the container's own cgroups over the host's, which podman 4.3 leaves in reach.
    targets="$host_v4 127.0.0.1"
    jailed_and_not "$runtime, host's network" "$runtime" 'reached reached reached reached' --network=host
    lives_on "$runtime" "$host_second_v4"
done
finish
