#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What annotations make of the block: ports that pass, with their neighbours closed, over both protocols and both families; more that is
# blocked; and audit, which lets all of it pass and counts it. The container without a jail shows that each destination answers.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"

next=$((port + 1)) here_port=$((own_port + 1))
edge_gateway=10.98.0.1 edge_v4=10.98.0.2 far_v4=169.254.7.7
ready "$build/tests/probe" listen tcp $host_v4 $next -- udp $host_v4 $next -- tcp $host_v6 $next -- tcp 127.0.0.1 $next -- tcp $dual_v4 $next
# A network whose gateway is not the host.
ip netns add edge
ip -n edge link set lo up
ip -n internet link add edge type veth peer name eth0 netns edge
ip -n internet link set edge up
ip -n edge link set eth0 up
address internet edge $edge_gateway/24
address edge eth0 $edge_v4/24
ip -n edge route add default via $edge_gateway
address internet lo $far_v4/32
serve internet $edge_gateway $far_v4
readlink /proc/self/ns/net >>"/dev/fd/$seen"
ip netns exec edge readlink /proc/self/ns/net >>"/dev/fd/$seen"

declare -A network=([default]=podman [dual]=dual [side]=ns:/run/netns/side [edge]=ns:/run/netns/edge [host]=host [none]=none [container]=container:owner)

# The destinations of a row, in order, for each of which its VERDICTS has a sign: + reached, - EPERM.
declare -A destinations=(
    [default]="tcp $host_v4 $port,tcp $host_v4 $next,udp $host_v4 $port,udp $host_v4 $next,tcp $bridge_v4 $port,tcp $internet_v4 $port,tcp $peer_bridge_v4 $port"
    [dual]="tcp $host_v4 $port,tcp $host_v4 $next,udp $host_v4 $port,tcp $dual_v4 $port,tcp $host_v6 $port,tcp $host_v6 $next,udp $host_v6 $port,tcp $far_v4 $port,tcp $internet_v4 $port,tcp $internet_v6 $port,tcp $peer_v4 $port,tcp $peer_v6 $port"
    [side]="tcp $side_host_v4 $port,udp $side_host_v4 $port,tcp $host_v4 $port,tcp $host_v4 $next,tcp $host_v6 $port,tcp $internet_v4 $port"
    [edge]="tcp $edge_gateway $port,tcp $internet_v4 $port"
    [host]="tcp 127.0.0.1 $port,tcp 127.0.0.1 $next,udp 127.0.0.1 $port,tcp ::1 $port,tcp $host_v4 $port,tcp $host_v4 $next,tcp $internet_v4 $port"
    [container]="tcp $host_v4 $port,tcp $host_v4 $next,tcp $host_v6 $port,tcp $internet_v4 $port"
)
rows=$(
    cat <<TABLE
# NETWORK  VERDICTS      SETTINGS
default    -----++       block-host=true
default    +---+++       block-host=true;allow=host:$port
default    --+--++       block-host=true;allow=host:$port/udp
default    ++--+++       block-host=true;allow=host:$port-$next
default    +---+++       block-host=true;allow=host:$port;also=link-local
default    -----+-       block-host=true;also=10.88.0.0/16
default    +++++++       block-host=audit
dual       -------+++++  block-host=true
dual       -------+++++  block-host=true;also=gateway
dual       --------++++  block-host=true;also=link-local
dual       -------++++-  block-host=true;also=link-local fd00:77::/64;allow=$far_v4:$port
dual       +--++--+++++  block-host=true;allow=host:$port
dual       +-----++++++  block-host=true;allow=$host_v4:$port [$host_v6]:$port/udp
dual       ----+--+++++  block-host=true;allow=[$host_v6]:$port
dual       +---+--+++++  block-host=true;allow=198.51.100.0/24:$port [fd00:c633::/64]:$port
dual       +--++--+++--  block-host=true;also=private;allow=host:$port
dual       -------+++--  block-host=true;also=private
dual       -------++++-  block-host=true;also=private;allow=$peer_v4:$port
dual       -------+-+++  block-host=true;also=203.0.113.0/24
dual       -------++-++  block-host=true;also=2001:db8:113::5
dual       ++++++++++++  block-host=audit;also=private
side       -----+        block-host=true
side       -----+        block-host=true;also=private
side       +-+-++        block-host=true;allow=host:$port
side       -+----        block-host=true;allow=$side_host_v4:$port/udp;also=203.0.113.5
side       ++++++        block-host=audit;also=private
edge       ++            block-host=true
edge       -+            block-host=true;also=gateway
edge       ++            block-host=true;also=gateway;allow=$edge_gateway:$port
host       ------+       block-host=true
host       +--++-+       block-host=true;allow=host:$port
host       +-----+       block-host=true;allow=127.0.0.1:$port
host       +++++++       block-host=audit
container  +-++          block-host=true;allow=host:$port
container  ---+          block-host=true
container  ++++          block-host=audit
TABLE
)

probes_of() {
    local one words
    probes=()
    IFS=, read -ra words <<<"${destinations[$1]}"
    for one in "${words[@]}"; do
        read -ra one <<<"$one"
        probes+=("${one[@]}" --)
    done
    unset 'probes[-1]'
}

# Each annotation is an option of its own; words are separated by spaces, since podman 4.3 splits at commas.
annotations_of() {
    local setting words key
    options=()
    IFS=';' read -ra words <<<"$1"
    for setting in "${words[@]}"; do
        key=jail-ai.block-host
        [ "${setting%%=*}" = block-host ] || key=$key.${setting%%=*}
        options+=(--annotation "$key=${setting#*=}")
    done
}

signs() { awk '{ printf "%s", $4 == "reached" ? "+" : $4 == "EPERM" ? "-" : "(" $0 ")" }' <<<"$1"; }

denied_in_all() { awk '{ sum += $2 } END { print sum + 0 }' <<<"$1"; }

# The denials of the same settings in the mode that blocks: what audit has to count.
declare -A blocked
check_row() {
    local mode=$1 verdicts=$2 settings=$3 name="$runtime, $1 network: $3" expected counted
    probes_of "$mode"
    annotations_of "$settings"
    if ! start shaped "$runtime" --network "${network[$mode]}" "${options[@]}" -- /probe listen tcp 127.0.0.1 $here_port "then" "${probes[@]}"; then
        not_ok "$name: starts" "$(why shaped)"
        return
    fi
    counted=$(denials "$(cgroup_of shaped)")
    equal "$name" "$verdicts" "$(signs "$(sed 1d <<<"${lines%$'\n'}")")"
    case $settings in
        block-host=audit*) equal "$name: what passes is counted as it would be denied" "${blocked[$mode,${settings#*audit}]-unknown}" "$counted" ;;
        *)
            expected=${verdicts//[^-]/}
            equal "$name: each denial is counted" ${#expected} "$(denied_in_all "$counted")"
            blocked[$mode,${settings#*true}]=$counted
            ;;
    esac
    remove "$runtime" shaped
}

# without_jail MODE: every destination answers
without_jail() {
    local all
    probes_of "$1"
    all=${destinations[$1]//[^,]/}
    if start plain "$runtime" --network "${network[$1]}" -- /probe listen tcp 127.0.0.1 $here_port "then" "${probes[@]}"; then
        equal "$runtime, $1 network: every destination answers without a jail" "${all//,/+}+" "$(signs "$(sed 1d <<<"${lines%$'\n'}")")"
        remove "$runtime" plain
    else
        not_ok "$runtime, $1 network: starts without a jail" "$(why plain)"
    fi
}

check_log() {
    logged before >"$lab/logged"
    engine "$runtime" run --rm --network none "${jailed[@]}" --annotation "jail-ai.block-host.allow=$internet_v4:$port" --rootfs "$lab/rootfs" \
        /bin/busybox true
    matches "$runtime: an allow rule without effect is reported" "<29>[^|]*allow $internet_v4:$port has no effect" "$(logged "has no effect" | paste -sd '|')"
}

for runtime in crun runc; do
    ready engine "$runtime" run --rm --name owner --network dual --rootfs "$lab/rootfs" /probe listen tcp 127.0.0.1 "$own_port"
    for mode in "${!destinations[@]}"; do without_jail "$mode"; done
    while read -r mode verdicts settings; do
        case $mode in '#'*) ;; *) check_row "$mode" "$verdicts" "$settings" ;; esac
    done <<<"$rows"
    check_log
    remove "$runtime" owner
done
finish
