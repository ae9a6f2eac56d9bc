#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A jailed container still serves: the host and the internet reach its ports, and its replies reach them, in bulk too, while it can't
# open anything to the host itself. Without a jail all of it must work just so, but for the last.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

dual_server_v4=10.77.0.20 dual_server_v6=fd00:77::20
bulk_port=4101 back_port=4102 closed_port=4199 peer_port=4200 published=8400
services=()
for address in "$dual_v4" "$dual_v6" "$side_host_v4" "$side_host_v6"; do services+=(udp "$address" "$peer_port" --); done
ready "$build/tests/probe" listen "${services[@]::${#services[@]}-1}"

# FROM is a network namespace; P + N is the port that N is published at. No port of the network "side" can be: podman didn't make it.
checks=$(
    cat <<TABLE
# WHAT                                                 NETWORKS   FROM      KIND         TO         PORT          RESULT
TCP                                                    dual,side  host      tcp          SERVER_V4  $own_port     reached
TCP_over_IPv6                                          dual,side  host      tcp          SERVER_V6  $own_port     reached
20_MB_of_TCP_each_way                                  dual,side  host      bulk         SERVER_V4  $bulk_port    reached
20_MB_of_TCP_over_IPv6_each_way                        dual,side  host      bulk         SERVER_V6  $bulk_port    reached
20_MB_of_TCP_each_way,_published                       dual       host      bulk         $host_v4   P$bulk_port   reached
20_MB_of_TCP_over_IPv6_each_way,_published             dual       host      bulk         $host_v6   P$bulk_port   reached
20_MB_of_TCP_each_way_from_the_internet,_published     dual       internet  bulk         $host_v4   P$bulk_port   reached
TCP_over_IPv6_from_the_internet,_published             dual       internet  tcp          $host_v6   P$own_port    reached
UDP_answered_by_sendto                                 dual,side  host      udp          SERVER_V4  $own_port     reached
UDP_over_IPv6_answered_by_sendto                       dual,side  host      udp-connect  SERVER_V6  $own_port     reached
UDP_answered_by_sendto,_published                      dual       host      udp-connect  $host_v4   P$own_port    reached
UDP_over_IPv6_answered_by_sendto,_published            dual       host      udp          $host_v6   P$own_port    reached
UDP_from_the_internet,_published                       dual       internet  udp          $host_v4   P$own_port    reached
UDP_over_IPv6_from_the_internet,_published             dual       internet  udp-connect  $host_v6   P$own_port    reached
UDP_answered_by_connect                                dual,side  host      udp          SERVER_V4  $back_port    reached
UDP_over_IPv6_answered_by_connect                      dual,side  host      udp          SERVER_V6  $back_port    reached
UDP_answered_by_connect,_published                     dual       host      udp          $host_v4   P$back_port   reached
UDP_answered_by_connect_from_the_internet,_published   dual       internet  udp          $host_v4   P$back_port   reached
TCP_from_the_host's_loopback,_published                dual       host      tcp          127.0.0.1  P$own_port    reached
UDP_in_fragments                                       dual,side  host      udp-large    SERVER_V4  $own_port     reached
UDP_over_IPv6_in_fragments                             dual,side  host      udp-large    SERVER_V6  $own_port     reached
closed_TCP_port                                        dual,side  host      tcp          SERVER_V4  $closed_port  ECONNREFUSED
closed_TCP_port_over_IPv6                              dual,side  host      tcp          SERVER_V6  $closed_port  ECONNREFUSED
closed_UDP_port                                        dual,side  host      udp          SERVER_V4  $closed_port  ECONNREFUSED
closed_UDP_port_over_IPv6                              dual,side  host      udp          SERVER_V6  $closed_port  ECONNREFUSED
TABLE
)

# from FROM PROBE...
from() {
    local command=("$build/tests/probe")
    [ "$1" = host ] || command=(ip netns exec "$1" "${command[@]}")
    shift
    "${command[@]}" "$@"
}

check() {
    local what=$1 from=$2 kind=$3 to=$4 at=$5
    to=${to/SERVER_V4/$server_v4} to=${to/SERVER_V6/$server_v6}
    [ "$at" = "${at#P}" ] || at=$((published + ${at#P}))
    equal "$name: ${what//_/ }" "$6" "$(from "$from" "$kind" "$to" "$at")"
}

# check_answers PEER SERVER SENT REACHED: the container may answer a peer on the host that has spoken to it, from the socket that was
# spoken to, and that is all. Orders to speak come from the internet, as a peer of which nothing need be remembered.
check_answers() {
    local peer=$1 server=$2 sent=$3 reached=$4
    equal "$name: its UDP socket speaks first to $peer: $sent" "$sent" "$(from internet ask "$server" "$own_port" "$peer" "$peer_port")"
    equal "$name: $peer speaks to that socket" sent "$(from host ask "$peer" "$peer_port" "$server" "$own_port")"
    equal "$name: the socket speaks to that peer: sent" sent "$(from internet ask "$server" "$own_port" "$peer" "$peer_port")"
    equal "$name: the socket speaks to another port there: $sent" "$sent" "$(from internet ask "$server" "$own_port" "$peer" "$port")"
    equal "$name: another socket tries that peer, and TCP another port: $reached" "udp $peer $peer_port $reached|tcp $peer $port $reached" \
        "$(engine "$runtime" exec server /probe udp "$peer" "$peer_port" -- tcp "$peer" "$port" | paste -sd '|')"
}

serve_in_container() {
    local address options=(--network "$network")
    services=()
    for address in "$server_v4" "$server_v6"; do
        services+=(udp "$address" "$own_port" -- udp-back "$address" "$back_port" -- tcp "$address" "$own_port" -- echo "$address" "$bulk_port" --)
    done
    if [ "$1" = dual ]; then
        for address in "$own_port" "$bulk_port" "$back_port"; do
            options+=(--publish "$((published + address)):$address/tcp" --publish "$((published + address)):$address/udp")
        done
    fi
    shift
    start server "$runtime" "${options[@]}" "$@" -- /probe listen "${services[@]::${#services[@]}-1}" \
        "then" tcp "$internet_v4" "$port" -- tcp "$internet_v6" "$port"
}

for runtime in crun runc; do
    for mode in dual side; do
        case $mode in
            dual) server_v4=$dual_server_v4 server_v6=$dual_server_v6 network="dual:ip=$server_v4,ip=$server_v6" peers=("$dual_v4" "$dual_v6") ;;
            side) server_v4=$side_v4 server_v6=$side_v6 network=ns:/run/netns/side peers=("$side_host_v4" "$side_host_v6") ;;
        esac
        for jail in false true; do
            name="$runtime, $mode network, jail $jail"
            if ! serve_in_container $mode --annotation jail-ai.block-host=$jail; then
                not_ok "$name: a container with services starts" "$(why server)"
                continue
            fi
            ok "$name: a container with services starts"
            while read -r what networks rest; do
                # shellcheck disable=SC2086 # words of a table
                case $what,$networks, in '#'*) ;; *,"$mode",*) check "$what" $rest ;; esac
            done <<<"$checks"
            for address in "$server_v4" "$server_v6"; do
                if ping -c 1 -W 2 "$address" >"$lab/ping"; then ok "$name: answers pings to $address"; else not_ok "$name: ping $address" "$(<"$lab/ping")"; fi
            done
            cgroup=$(cgroup_of server)
            denied=$(denials "$cgroup")
            case $jail in true) words=(EPERM EPERM) ;; *) words=(sent reached) ;; esac
            check_answers "${peers[0]}" "$server_v4" "${words[@]}"
            check_answers "${peers[1]}" "$server_v6" "${words[@]}"
            [ $jail = false ] || equal "$name: what it may not is counted, and nothing that it may" '|local 8' "$denied|$(denials "$cgroup")"
            remove "$runtime" server
        done
    done
done
finish
