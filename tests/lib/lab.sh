# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash disable=SC2034 # its variables are for those who source it
# A small world for containers, to be sourced inside "cgroup2-view -n" with $build, the build directory, set. The view's own network
# namespace is the HOST, whose addresses a jailed container must not reach; the namespace "internet" lies behind the host's uplink and
# must stay reachable; "side" is a namespace for --network ns:. Addresses that only mean the host by convention (metadata, aliases) are
# served in "internet", so that nothing but the jail can keep a container from them. Every address answers on TCP and UDP port 4000.

: "${build:?the build directory}"
lib=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
lab=/run/lab
port=4000 own_port=4100
host_v4=198.51.100.7 host_second_v4=192.0.2.7 host_v6=fd00:c633::7 host_second_v6=fd00:c000::7
bridge_v4=10.88.0.1 dual_v4=10.77.0.1 dual_v6=fd00:77::1 side_host_v4=10.99.0.1 side_host_v6=fd00:99::1 side_host_link=fe80::99:1
side_v4=10.99.0.2 side_v6=fd00:99::2
internet_v4=203.0.113.5 internet_v6=2001:db8:113::5
metadata_v4=169.254.169.254 metadata_v6=fd00:ec2::254 alias_qemu=10.0.2.2 alias_pasta=169.254.1.2
peer_bridge_v4=10.88.0.9 peer_v4=10.77.0.9 peer_v6=fd00:77::9

# calls_hooks PODMAN-COMMAND
calls_hooks() {
    case $1 in run | create | start | restart) ;; *) return 1 ;; esac
}

# finds_hooks ROOT: would podman, which finds its files below ROOT, find the hooks in $hooks and what they call? Where it doesn't, it starts the container
# all the same, unprotected, and says nothing. So "engine" doesn't let it, and $lab/missed becomes a failure (see tests/e2e/run).
finds_hooks() {
    local root=$1 directory=${hooks:-$build/hooks.d} json path missing=''
    [ -d "$root$directory" ] || missing=$directory
    for json in "$directory"/*.json; do
        [ -e "$json" ] || continue
        path=$(jq -r '.hook.path' "$json")
        [ -e "$root$json" ] || missing=$json
        [ -e "$root$path" ] || missing=$path
    done
    [ -n "$missing" ] || return 0
    echo "lab: podman finds no '$missing' ${root:+below $root }and would start the container unprotected" | tee -a "$lab/missed" >&2
    return 1
}

# engine RUNTIME PODMAN-ARGUMENT...: with a descriptor 3 of the kind $gift, if that is set (see give), and the hooks in $hooks: by default both
# stages, as podman has them; $lab/hooks.d has createRuntime alone, as other engines have it
engine() {
    local runtime=$1 giver=()
    shift
    [ -z "${gift-}" ] || giver=("$lib/give" "$gift")
    if calls_hooks "$1"; then finds_hooks '' || return; fi
    "${giver[@]}" podman --log-level error --runtime "$lab/bin/$runtime" --hooks-dir "${hooks:-$build/hooks.d}" "$@"
}

# ready COMMAND...: runs it in the background and returns once it has printed "ready".
ready() {
    local line=
    IFS= read -r -t "${patience:-60}" line < <("$@") || :
    [ "$line" = ready ] || { echo "lab: '$*' said '$line' and not that it is ready" >&2; return 1; }
}

# serve NAMESPACE|- ADDRESS...
serve() {
    local command=("$build/tests/probe" listen) address
    [ "$1" = - ] || command=(ip netns exec "$1" "${command[@]}")
    shift
    for address in "$@"; do command+=(tcp "$address" "$port" hello -- udp "$address" "$port" --); done
    unset 'command[-1]'
    ready "${command[@]}"
}

lab_files() {
    mkdir -p "$lab/bin" "$lab/rootfs/bin" "$lab/rootfs/tmp" "$lab/hooks.d"
    cp "$build/hooks.d/jail-ai-hook.json" "$lab/hooks.d"
    cp /bin/busybox "$lab/rootfs/bin"
    ln -s busybox "$lab/rootfs/bin/sh"
    cp "$build/tests/probe" "$lab/rootfs"
    cp "$lib/crun-here" "$lab/bin/crun"
    cp "$build/tests/nomemlock.so" "$lab/bin"
    ln -s "$(command -v runc)" "$lab/bin/runc"
}

# link INTERFACE NAMESPACE PEER: a veth pair, up at both ends
link() {
    ip link add "$1" type veth peer name "$3" netns "$2"
    ip link set "$1" up
    ip -n "$2" link set "$3" up
}

# address NAMESPACE|- DEVICE PREFIX...: nodad, as nobody here can have a duplicate and tentative addresses would cost a second
address() {
    local namespace=() device=$2 prefix
    [ "$1" = - ] || namespace=(-n "$1")
    shift 2
    for prefix in "$@"; do
        case $prefix in
            *:*) ip "${namespace[@]}" address add "$prefix" dev "$device" nodad ;;
            *) ip "${namespace[@]}" address add "$prefix" dev "$device" ;;
        esac
    done
}

lab_network() {
    local name
    for name in internet side; do
        ip netns add "$name"
        ip -n "$name" link set lo up
    done
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
    link uplink internet isp
    link side-host side eth0
    address - uplink $host_v4/24 $host_v6/64
    address - lo $host_second_v4/32 $host_second_v6/128
    address - side-host $side_host_v4/24 $side_host_v6/64 $side_host_link/64
    address side eth0 $side_v4/24 $side_v6/64
    address internet isp 198.51.100.1/24 fd00:c633::1/64
    address internet lo $internet_v4/32 $internet_v6/128 $metadata_v4/32 $metadata_v6/128 $alias_qemu/32 $alias_pasta/32
    ip route add default via 198.51.100.1
    ip -6 route add default via fd00:c633::1
    ip -n internet route add default via $host_v4
    ip -n internet -6 route add default via $host_v6
    ip -n side route add default via $side_host_v4
    ip -n side -6 route add default via $side_host_v6
}

# A container in both bridge networks: it is "another container", and it keeps the bridges and their gateway addresses in being.
lab_peer() {
    podman --log-level error network create --disable-dns --ipv6 --subnet 10.77.0.0/24 --subnet fd00:77::/64 dual >"$lab/network.out"
    ready engine runc run --name peer --network podman:ip=$peer_bridge_v4 --network "dual:ip=$peer_v4,ip=$peer_v6" --rootfs "$lab/rootfs" \
        /probe listen tcp 0.0.0.0 $port -- udp $peer_bridge_v4 $port -- udp $peer_v4 $port -- tcp $peer_v6 $port -- udp $peer_v6 $port
}

lab_up() {
    lab_files
    lab_network
    serve - $host_v4 $host_second_v4 $host_v6 $host_second_v6 $bridge_v4 $dual_v4 $dual_v6 $side_host_v4 $side_host_v6 \
        $side_host_link%side-host 127.0.0.1 127.9.9.9 ::1
    serve internet $internet_v4 $internet_v6 $metadata_v4 $metadata_v6 $alias_qemu $alias_pasta
    lab_peer
}
