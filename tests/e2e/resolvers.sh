#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Names resolve in a jail in every network mode, wherever podman lets the resolver be, and of an address that is the host's nothing else than DNS
# opens; dns=off closes that, too. A container with a user namespace of its own gets its network, and its resolver, after the hook has run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

domain=agent.lab
gateway=10.76.1.1 later_gateway=10.76.2.1
stub=127.0.0.53
ready "$lib/name-server" $domain $internet_v4 $stub $host_v4 $dual_v6 $side_host_v4
readlink /proc/self/ns/net >>"/dev/fd/$seen"
ready "$build/tests/probe" listen tcp $stub "$port" -- udp $stub "$port" -- tcp $stub 853 -- tcp $host_v4 853 -- tcp $dual_v6 853 -- tcp $side_host_v4 853
# As podman finds it on the host: it leaves the stub out where the container has a network of its own.
printf 'nameserver %s\nnameserver %s\n' $stub $host_v4 >"$lab/resolv.conf"
mount --bind "$lab/resolv.conf" /etc/resolv.conf
for network in resolved:$gateway later:$later_gateway; do
    podman --log-level error network create --subnet "${network#*:}/24" --gateway "${network#*:}" "${network%:*}" >"$lab/network.out"
done
# What the root of a user namespace could not make itself.
mkdir -p "$lab"/rootfs/{proc,sys,dev,etc,run}
touch "$lab"/rootfs/etc/{resolv.conf,hosts,hostname} "$lab/rootfs/run/.containerenv"

# RESOLVER is where the container asks; PORTS what is served there besides DNS.
modes=$(
    cat <<TABLE
# MODE          RESOLVER        PORTS  OPTIONS
default         $host_v4        853    --network=podman
dual            $dual_v6        853    --network=dual --dns=$dual_v6
user-defined    $gateway        -      --network=resolved
namespace       $side_host_v4   853    --network=ns:/run/netns/side --dns=$side_host_v4
host            $stub           853    --network=host
container       $gateway        -      --network=container:owner
slirp4netns     10.0.2.3        -      --network=slirp4netns
later,default   $host_v4        853    --network=podman --uidmap=0:100000:65536
later,user      $later_gateway  -      --network=later --uidmap=0:100000:65536
later,slirp     10.0.2.3        -      --network=slirp4netns --uidmap=0:100000:65536
TABLE
)

look_up() {
    engine "$runtime" exec asker /bin/busybox nslookup $domain 2>&1 | awk '/^Name:/ { named = 1 } named && /^Address/ { print $NF }' |
        sort -u | paste -sd ' '
}

# check MODE RESOLVER PORTS SETTINGS RESOLVED DNS OTHER: what the name resolves to, what becomes of port 53 and of all other ports
check() {
    local mode=$1 resolver=$2 ports=$3 settings=$4 expected resolved=$5 name="$runtime, $1, ${4:-no jail}" probes=() options=() setting
    shift 4
    for setting in $settings; do options+=(--annotation "jail-ai.block-host$setting"); done
    probes=(tcp "$resolver" 53 --)
    [ "$ports" = - ] || probes+=(tcp "$resolver" "$ports" --)
    case $resolver in 10.0.2.3) probes=() ;; *) probes+=(tcp "$resolver" "$port" -- udp "$resolver" "$port" --) ;; esac
    if ! start asker "$runtime" "${options[@]}" "${mode_options[@]}" -- \
        /probe listen tcp 127.0.0.1 $((own_port + 2)) "then" "${probes[@]}" tcp $internet_v4 "$port"; then
        not_ok "$name: starts" "$(why asker)"
        return
    fi
    expected="$2"
    [ "$ports" = - ] || expected+=" $2"
    case $resolver in 10.0.2.3) expected= ;; *) expected+=" $3 $3 " ;; esac
    equal "$name: only DNS opens" "${expected}open" "$(probe_words)"
    equal "$name: the name is resolved" "$resolved" "$(look_up)"
    remove "$runtime" asker
}

# A port where nobody listens is as open as one where somebody does: podman's resolver may speak UDP alone. One probe prints a word, several
# a line each.
probe_words() { sed 1d <<<"${lines%$'\n'}" | awk '{ print $NF ~ /^(reached|ECONNREFUSED)$/ ? "open" : $NF }' | paste -sd ' '; }

served=false
for runtime in crun runc; do
    # Until somebody is in a network, its bridge has no gateway to serve at; that of "later" is made when the first container is there.
    ready engine "$runtime" run --rm --name owner --network resolved --rootfs "$lab/rootfs" /probe listen tcp 127.0.0.1 $own_port \
        2>"$lab/owner.err"
    "$served" || serve - $gateway
    served=true
    while read -r mode resolver ports options; do
        case $mode in '#'*) continue ;; esac
        read -ra mode_options <<<"$options"
        check "$mode" "$resolver" "$ports" '' $internet_v4 open open
        check "$mode" "$resolver" "$ports" =true $internet_v4 open EPERM
        [ "$resolver" != 10.0.2.3 ] || continue
        check "$mode" "$resolver" "$ports" '=true .dns=off' '' EPERM EPERM
    done <<<"$modes"
    remove "$runtime" owner
done
umount /etc/resolv.conf
finish
