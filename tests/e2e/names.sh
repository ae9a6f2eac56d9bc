#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Names keep working in a jail, although podman serves them on an address of the host in networks made by the user: the resolver's port
# passes there, and no other.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

gateway=10.76.0.1
podman --log-level error network create --subnet 10.76.0.0/24 named >"$lab/network.out"
ready engine runc run --name other --network named:ip=10.76.0.9 --rootfs "$lab/rootfs" /probe listen tcp 0.0.0.0 "$port"
serve - $gateway

# resolve RUNTIME OPTION...: the address of "other"
resolve() {
    local runtime=$1
    shift
    engine "$runtime" run --rm --network named "$@" --rootfs "$lab/rootfs" /bin/busybox nslookup other.dns.podman 2>&1 |
        awk '/^Name:/ { named = 1 } named && /^Address/ { print $NF }' | sort -u | paste -sd ' '
}

for runtime in crun runc; do
    equal "$runtime: a name is resolved without the jail" 10.76.0.9 "$(resolve "$runtime")"
    equal "$runtime: a name is resolved with it" 10.76.0.9 "$(resolve "$runtime" "${jailed[@]}")"
    for jail in '' "${jailed[*]}"; do
        expected='reached reached reached'
        [ -z "$jail" ] || expected='EPERM EPERM reached'
        read -ra options <<<"$jail"
        if ! start asker "$runtime" "${options[@]}" --network named -- /probe listen tcp 127.0.0.1 "$own_port" \
            "then" tcp $gateway "$port" -- udp $gateway "$port" -- tcp 10.76.0.9 "$port"; then
            not_ok "$runtime, '$jail': starts" "$(why asker)"
            continue
        fi
        equal "$runtime, '$jail': other ports of the resolver's address" "$expected" \
            "$(sed 1d <<<"${lines%$'\n'}" | awk '{ print $4 }' | paste -sd ' ')"
        [ -z "$jail" ] || equal "$runtime: those two denials are counted" 'local 2' "$(denials "$(cgroup_of asker)")"
        remove "$runtime" asker
    done
done
remove runc other
finish
