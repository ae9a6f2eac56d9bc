#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A jailed container still serves: the host and the internet reach its ports, and its replies reach them, while it can't open
# anything to the host itself.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

published=8400
container_v4=10.77.0.20 container_v6=fd00:77::20

# from NAMESPACE|- KIND ADDRESS PORT
from() {
    local command=("$build/tests/probe")
    [ "$1" = - ] || command=(ip netns exec "$1" "${command[@]}")
    shift
    "${command[@]}" "$@"
}

# check WHAT KIND NAMESPACE ADDRESS PORT
check() {
    equal "$runtime, $jail: $1" reached "$(from "$3" "$2" "$4" "$5")"
}

for runtime in crun runc; do
    for jail in unjailed jailed; do
        options=(--network "dual:ip=$container_v4,ip=$container_v6" --publish "$published:$own_port/tcp" --publish "$published:$own_port/udp")
        [ "$jail" = unjailed ] || options+=("${jailed[@]}")
        if ! start server "$runtime" "${options[@]}" -- /probe listen tcp 0.0.0.0 "$own_port" hello -- udp $container_v4 "$own_port" \
            -- tcp $container_v6 "$own_port" -- udp $container_v6 "$own_port" \
            "then" tcp "$internet_v4" "$port" -- tcp "$internet_v6" "$port"; then
            not_ok "$runtime, $jail: a container with published ports starts" "$(why server)"
            continue
        fi
        ok "$runtime, $jail: a container with published ports starts"
        check 'the host reaches its TCP port' tcp - $container_v4 $own_port
        check 'the host reaches its TCP port over IPv6' tcp - $container_v6 $own_port
        check 'the host reaches its UDP port' udp - $container_v4 $own_port
        check 'the host reaches its UDP port over IPv6' udp-connect - $container_v6 $own_port
        check 'the internet reaches its published TCP port' tcp internet $host_v4 $published
        check 'the internet reaches its published UDP port' udp-connect internet $host_v4 $published
        inspect "$(cgroup_of server)" >"$lab/inspected"
        [ "$jail" = unjailed ] || equal "$runtime, $jail: it can't open anything to the host all the same" \
            "tcp $host_v4 $port EPERM|udp $dual_v4 $port EPERM" \
            "$(engine "$runtime" exec server /probe tcp $host_v4 $port -- udp $dual_v4 $port | paste -sd '|')"
        remove "$runtime" server
    done
done
finish
