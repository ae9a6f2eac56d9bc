#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The host's loopback by a bridge that takes packets for it (route_localnet), as netavark since 1.17 makes each: with the podman, crun and runc of the newest
# Debian release, $forky_tree, see run. What names the bridge's device reaches it without the jail, and so does what goes to the gateway.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck disable=SC2034 # for portable.sh
engine_tree=${forky_tree-}
# shellcheck source=portable.sh
. "$lib/portable.sh"

gateway=10.75.0.1 gateway_port=4303 number=$("$lib/in-tree" "$forky_tree" podman --version | awk '{ print $3 }')
ready "$build/tests/probe" listen tcp $gateway $gateway_port hello -- udp $gateway $gateway_port

# A container and its network live in one call of podman there.
cat >"$portable/on-bridge" <<SCRIPT
#!/bin/sh
podman network create --subnet 10.75.0.0/24 --interface-name newest0 newest >$lab/newest.id
exec podman --log-level error "\$@"
SCRIPT
chmod +x "$portable/on-bridge"

engine() {
    local runtime=$1
    shift
    hooks=$portable/hooks.d finds_hooks '' || return
    "$lib/in-tree" "$forky_tree" "$portable/on-bridge" --runtime "$runtime" --hooks-dir "$portable/hooks.d" "$@"
}

# stop NAME: its process, and podman with it
stop() {
    kill "$(<"$lab/$1.pid")"
    wait "$!"
}

# tries NAME WITHOUT WITH DENIALS PODMAN-OPTION... -- COMMAND...: what the command's probes give without the jail, and with it, and what is counted then
tries() {
    local name="podman $number, $runtime: $1" without=$2 with=$3 counted=$4
    shift 4
    # For an answer from 127.0.0.1 to come back to the container; what that sends arrives without them.
    set -- --network newest --sysctl=net.ipv4.conf.all.route_localnet=1 --sysctl=net.ipv4.conf.all.accept_local=1 "$@"
    if start tries "$runtime" --annotation jail-ai.block-host=false "$@"; then
        equal "$name: the bridge takes packets for the host's loopback" 1 "$(</proc/sys/net/ipv4/conf/newest0/route_localnet)"
        equal "$name, without the jail" "$without" "$(results)"
        stop tries
    else
        not_ok "$name: starts without the jail" "$(why tries)"
    fi
    if start tries "$runtime" "${jailed[@]}" "$@"; then
        equal "$name, jailed" "$with" "$(results)"
        matches "$name: each denial is counted, and nothing else" "^$counted\$" "$(denials "$(cgroup_of tries)" | grep -v multicast | paste -sd ' ')"
        stop tries
    else
        not_ok "$name: starts jailed" "$(why tries)"
    fi
}

results() {
    awk '/^(tcp|udp)/ { print $NF }' <<<"$lines" | paste -sd ' '
}

services=(/probe listen tcp 0.0.0.0 "$own_port" hello -- udp 0.0.0.0 "$own_port" "then")
passes=(tcp "$internet_v4" "$port" -- udp "$internet_v4" "$port")
# Where the container's own routes lead all of 127.0.0.0/8 to the gateway, no socket has to name a device. egress alone sees that, and TCP tries again.
# shellcheck disable=SC2016 # for the container's shell
lead_out='ip() { /bin/busybox ip "$@"; }; ip route del local 127.0.0.0/8 dev lo table local; ip route del local 127.0.0.1 dev lo table local
    ip route add 127.0.0.0/8 via $0; exec "$@"'

for runtime in crun runc; do
    tries 'a socket bound to the device' 'reached reached reached reached reached reached reached reached' \
        'EPERM EPERM EPERM EPERM reached reached reached reached' 'loopback 4' -- \
        "${services[@]}" udp 127.0.0.1%eth0 "$port" -- udp-connect 127.9.9.9%eth0 "$port" -- tcp 127.0.0.1%eth0 "$port" -- tcp 127.9.9.9%eth0 "$port" -- \
        tcp 127.0.0.1 "$own_port" -- udp 127.0.0.1 "$own_port" -- "${passes[@]}"
    tries 'a route to the gateway' 'reached reached reached reached reached' 'EPERM EPERM timeout reached reached' 'loopback [3-9]' \
        --cap-add=NET_ADMIN --annotation jail-ai.block-host.accept=cap_net_admin -- /bin/sh -c "$lead_out" $gateway \
        "${services[@]}" udp 127.0.0.1 "$port" -- udp-connect 127.9.9.9 "$port" -- tcp 127.0.0.1 "$port" 200 -- "${passes[@]}"
    tries 'the gateway itself' 'reached reached reached reached' 'EPERM EPERM reached reached' 'local 2' -- \
        "${services[@]}" udp $gateway $gateway_port -- tcp $gateway $gateway_port -- "${passes[@]}"
done
if nft list table inet netavark >"$lab/nft.out" 2>&1; then nft delete table inet netavark; fi
finish
