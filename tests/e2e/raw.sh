#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A container has CAP_NET_RAW by podman 4.3's built-in default, which Debian's containers.conf narrows and the lab's doesn't, and uses it to send
# what no connect() or sendto() hook sees. Busybox does
# so for its ping and traceroute, in a jail to the internet alone. What has arrived at the host tells the host's own packet filter.
# shellcheck disable=SC2317 # functions are called by way of each
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

sender_v4=10.77.0.30 sender_v6=fd00:77::30

# The kernel answers a peer with one ICMP error a second, and traceroute would wait for the others.
no_limits='echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 0 >/proc/sys/net/ipv6/icmp/ratelimit'
sh -euc "$no_limits"
ip netns exec internet sh -euc "$no_limits"

# Without what the container's kernel says by itself, to find its neighbours and its groups.
nft -f - <<RULES
table inet witness {
    counter arrived { }
    chain input {
        type filter hook input priority raw;
        ip saddr $sender_v4 icmp type echo-request counter name arrived
        ip saddr $sender_v4 ip protocol != { icmp, igmp } counter name arrived
        ip6 saddr $sender_v6 icmpv6 type echo-request counter name arrived
        ip6 saddr $sender_v6 meta l4proto != ipv6-icmp counter name arrived
    }
}
RULES

# ARRIVES says how many packets get to the host from a sender that is not jailed: those to the addresses that mean the host by convention
# go to the internet here. With -s, traceroute doesn't ask connect() for a source address, which would be refused first.
attempts=$(
    cat <<TABLE
# REASON   ARRIVES  COMMAND
local      1        ping -c 1 -W 1 $host_v4
local      1        ping -c 1 -W 1 $host_second_v4
local      1        ping -c 1 -W 1 $dual_v4
local      1        ping -c 1 -W 1 $bridge_v4
local      1        ping -c 1 -W 1 $host_v6
local      1        ping -c 1 -W 1 $dual_v6
metadata   0        ping -c 1 -W 3 $metadata_v4
metadata   0        ping -c 1 -W 3 $metadata_v6
alias      0        ping -c 1 -W 3 $alias_pasta
local      1        traceroute -n -q 1 -w 1 -m 2 -s $sender_v4 $host_v4
local      1        traceroute -n -q 1 -w 1 -m 2 -I -s $sender_v4 $host_v4
local      1        traceroute6 -n -q 1 -w 1 -m 2 -s $sender_v6 $host_v6
local      1        traceroute -n -q 1 -w 1 -m 2 $dual_v4
open       0        ping -c 1 -W 20 $internet_v4
open       0        ping -c 1 -W 20 $internet_v6
open       0        ping -c 1 -W 20 $peer_v4
open       0        traceroute -n -q 1 -w 20 -m 3 -s $sender_v4 $internet_v4
open       0        traceroute -n -q 1 -w 20 -m 3 -I -s $sender_v4 $internet_v4
open       0        traceroute6 -n -q 1 -w 20 -m 3 -s $sender_v6 $internet_v6
TABLE
)

# Says of each command on standard input, a line each: "EPERM", "answered", or what else there is to say.
cat >"$lab/rootfs/senders" <<'SCRIPT'
#!/bin/sh
while read -r command; do
    words=$(/bin/busybox $command 2>&1)
    status=$?
    case $words in
        *"Operation not permitted"*) echo EPERM ;;
        *" ${command##* }  "[0-9]*" ms"* | *"from ${command##* }: "*) echo answered ;;
        *) echo "status $status: $words" | /bin/busybox tr '\n' ' '; echo ;;
    esac
done
SCRIPT
chmod +x "$lab/rootfs/senders"

# The packets that have arrived since the last time
arrived() {
    nft --json reset counter inet witness arrived | jq '.nftables[].counter.packets // empty'
}

each() {
    local reason arrives command
    while read -r reason arrives command; do
        case $reason in '#'*) ;; *) "$@" "$reason" "$arrives" "$command" ;; esac
    done <<<"$attempts"
}

print_command() { echo "$3"; }
print_arrival() { echo "$2"; }
print_denial() { [ "$1" = open ] || echo "$1"; }

check() {
    local with=EPERM word without
    [ "$1" != open ] || with=answered
    IFS= read -r -u "$words_with" word || word='nothing'
    IFS= read -r -u "$words_without" without || without='nothing'
    equal "$runtime: $3 is $with jailed and answered otherwise" "$with answered" "$word $without"
}

# send ANNOTATION: runs all commands; what they say goes to $words, how many packets arrived to $count, the denials to $denied
send() {
    arrived >"$lab/arrived"
    start sender "$runtime" --interactive --network "dual:ip=$sender_v4,ip=$sender_v6" --annotation "jail-ai.block-host=$1" \
        --annotation jail-ai.block-host.accept=cap_net_raw -- \
        /probe listen tcp 127.0.0.1 "$own_port" "then" tcp 127.0.0.1 "$own_port" || { not_ok "$runtime, jail $1: starts" "$(why sender)"; return 1; }
    words=$(each print_command | engine "$runtime" exec --interactive sender /senders)
    count=$(arrived)
    denied=$(denials "$(cgroup_of sender)")
    remove "$runtime" sender
}

for runtime in crun runc; do
    send false || continue
    exec {words_without}<<<"$words"
    equal "$runtime: without a jail the packets arrive at the host" $(($(each print_arrival | paste -sd +))) "$count"
    send true || continue
    exec {words_with}<<<"$words"
    each check
    equal "$runtime: none arrives from a jail" 0 "$count"
    equal "$runtime: each is counted as denied, and nothing else" "$(each print_denial | sort | uniq -c | awk '{ print $2, $1 }')" "$denied"
done
nft delete table inet witness
finish
