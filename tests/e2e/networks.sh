#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Which destinations a container reaches in each network mode of podman: jailed, nothing of the host and everything else; not jailed,
# all of them, which shows that the denials come from the jail and not from a dead network.
# shellcheck disable=SC2317 # functions are called by way of for_mode
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

declare -A network=([default]=podman [dual]=dual [side]=ns:/run/netns/side [host]=host [none]=none)

# MODES in which the destination makes sense, REASON the denial is counted under, or "open" where none is due.
destinations=$(
    cat <<TABLE
# NAME                        ADDRESS               PORT       MODES                   REASON
uplink-address                $host_v4              $port      default,dual,side,host  local
uplink-address-mapped         ::ffff:$host_v4       $port      default,dual,side,host  local
second-address                $host_second_v4       $port      default,dual,side,host  local
default-gateway               $bridge_v4            $port      default,dual,side,host  local
other-network's-gateway       $dual_v4              $port      default,dual,side,host  local
ipv6-address                  $host_v6              $port      dual,side,host          local
second-ipv6-address           $host_second_v6       $port      dual,side,host          local
ipv6-gateway                  $dual_v6              $port      dual,side,host          local
link-local-address            $side_host_link%eth0  $port      side                    local
metadata                      $metadata_v4          $port      default,dual,side,host  metadata
ipv6-metadata                 $metadata_v6          $port      dual,side,host          metadata
qemu's-name-for-the-host      $alias_qemu           $port      default,dual,side,host  alias
pasta's-name-for-the-host     $alias_pasta          $port      default,dual,side,host  alias
shared-loopback               127.0.0.1             $port      host                    loopback
shared-loopback-elsewhere     127.9.9.9             $port      host                    loopback
shared-loopback-mapped        ::ffff:127.0.0.1      $port      host                    loopback
shared-ipv6-loopback          ::1                   $port      host                    loopback
shared-unspecified            0.0.0.0               $port      host                    unspecified
shared-ipv6-unspecified       ::                    $port      host                    unspecified
unreachable-address           $host_v4              $port      none                    local
unreachable-metadata          $metadata_v4          $port      none                    metadata
internet                      $internet_v4          $port      default,dual,side,host  open
internet-mapped               ::ffff:$internet_v4   $port      default,dual,side,host  open
ipv6-internet                 $internet_v6          $port      dual,side,host          open
neighbour                     $peer_bridge_v4       $port      default,dual,side,host  open
container-of-other-network    $peer_v4              $port      default,dual,side,host  open
ipv6-container                $peer_v6              $port      dual,side,host          open
own-address                   $side_v4              $own_port  side                    open
own-ipv6-address              $side_v6              $own_port  side                    open
own-loopback                  127.0.0.1             $own_port  default,dual,side,none  open
own-ipv6-loopback             ::1                   $own_port  default,dual,side,none  open
own-unspecified               0.0.0.0               $own_port  default,dual,side,none  open
TABLE
)

# for_mode MODE COMMAND...: calls it with NAME ADDRESS PORT REASON for each destination of the mode.
for_mode() {
    local mode=$1 name address at modes reason
    shift
    while read -r name address at modes reason; do
        case $name,$modes, in '#'*) ;; *,"$mode",*) "$@" "$name" "$address" "$at" "$reason" ;; esac
    done <<<"$destinations"
}

kinds_of() {
    case $1 in *:*) echo tcp udp udp-connect ;; *) echo tcp udp udp-connect udp-unspec ;; esac
}

add_probes() {
    local kind
    for kind in $(kinds_of "$2"); do probes+=("$kind" "$2" "$3" --); done
}

add_denials() {
    local kind
    [ "$4" = open ] || for kind in $(kinds_of "$2"); do echo "$4"; done
}

# What each kind of probe said of a destination, as "WORD" if all agree.
verdict() {
    awk -v address="$2" -v port="$3" '$2 == address && $3 == port && !seen[$4]++ { words = words (words ? "," : "") $4 } END { print words }' <<<"$1"
}

check() {
    local with=reached without=reached
    [ "$4" = open ] || with=EPERM
    [ "$mode" != none ] || [ "$4" = open ] || without=ENETUNREACH
    equal "$runtime, $mode network: $1 is $with jailed and $without otherwise" "$with $without" \
        "$(verdict "$with_jail" "$2" "$3") $(verdict "$without_jail" "$2" "$3")"
}

listen_on() {
    local addresses=(127.0.0.1 ::1) address
    [ "$1" != side ] || addresses+=("$side_v4" "$side_v6")
    for address in "${addresses[@]}"; do printf '%s\n' tcp "$address" $own_port hello -- udp "$address" $own_port --; done
}

for runtime in crun runc; do
    for mode in default dual side host none; do
        probes=()
        for_mode "$mode" add_probes
        mapfile -t services < <(listen_on "$mode")
        command=(/probe listen "${services[@]::${#services[@]}-1}" "then" "${probes[@]::${#probes[@]}-1}")
        name="$runtime, $mode network"

        if ! start plain "$runtime" --network "${network[$mode]}" -- "${command[@]}"; then
            not_ok "$name: starts" "$(why plain)"
            continue
        fi
        without_jail=$lines
        equal "$name: nothing is attached without the annotation" '' "$(programs "$(cgroup_of plain)")"
        remove "$runtime" plain

        if ! start jailed "$runtime" --network "${network[$mode]}" "${jailed[@]}" -- "${command[@]}"; then
            not_ok "$name: starts jailed" "$(why jailed)"
            continue
        fi
        with_jail=$lines
        cgroup=$(cgroup_of jailed)
        for_mode "$mode" check
        equal "$name: each denial is counted, and nothing else" "$(for_mode "$mode" add_denials | sort | uniq -c | awk '{ print $2, $1 }')" \
            "$(denials "$cgroup")"
        matches "$name: the programs are attached to its cgroup" 'jail_connect4.*jail_connect6.*jail_sendmsg4.*jail_sendmsg6' \
            "$(programs "$cgroup" | tr '\n' ' ')"
        remove "$runtime" jailed
    done
done
finish
