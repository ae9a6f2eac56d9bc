#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The adversary of tests/escape in real containers, with the capabilities and the seccomp profile that podman gives by default: each of its
# routes that the network hooks close, without the jail and with it. What has arrived is read off a capture on the host's side. A route that
# does not get through without the jail (the profile forbids io_uring, for one) proves nothing here and is only counted.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

themes='tcp fastopen mptcp uring udp udplite ping raw raw6 options splice multicast broadcast'
table=$(dirname "$0")/../escape/routes.table
cp "$build/tests/escape/adversary" "$lab/rootfs"

# Number and name of each route that an ordinary container can try and that connect, sendmsg or egress closes.
"$build/tests/escape/adversary" --list | awk -F '\t' '$2 == "" || $2 == "net_raw" { print $1 }' |
    awk -v themes=" $themes " 'NR == FNR { tried[$1] = 1; next }
        split($1, name, "/") && index(themes, " " name[1] " ") && $2 ~ /^(connect|sendmsg|egress)$/ && ($1 in tried) { print ++n, $1 }' - "$table" >"$lab/rootfs/routes"

own_mac=$(ip -n side link show eth0 | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p')
host_mac=$(ip link show side-host | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p')
cat >"$lab/rootfs/try-routes" <<SCRIPT
#!/bin/sh
# The token of route N is 7a11e5c0 and N, eight bytes.
while read -r n route; do
    timeout 60 /adversary \$route host4=$side_host_v4 second4=$host_second_v4 own4=$side_v4 subnet4=10.99.0.255 ext4=$internet_v4 \
        host6=$side_host_v6 link6=$side_host_link own6=$side_v6 ext6=$internet_v6 neighbour6=fd00:99::77 ifname=eth0 host_mac=$host_mac \
        own_mac=$own_mac port=$port token=\$(printf '7a11e5c0%08x' \$n) >/tmp/said 2>&1 </dev/null
    tail -n 1 /tmp/said
done </routes
echo tried
SCRIPT
chmod +x "$lab/rootfs/try-routes"

# Only what comes from the container: the internet's echo of what it was sent leaves by the same interface.
# capture RUNTIME [PODMAN-OPTION]...: the numbers of the routes whose token came to the host's side for one of its addresses, in $arrived
capture() {
    local runtime=$1 file=$lab/routes.pcap said
    shift
    exec {said}< <(exec tcpdump --immediate-mode -i side-host -Q in -U -w "$file" "not dst host $internet_v4 and not dst host $internet_v6" 2>&1)
    local capturer=$!
    until IFS= read -r line <&"$said" && [[ $line == *listening* ]]; do :; done
    output=$(engine "$runtime" run --rm --network ns:/run/netns/side "$@" --rootfs "$lab/rootfs" /try-routes 2>&1)
    # The capture has all once it has this, which nobody keeps from the host.
    ip netns exec side "$build/tests/escape/adversary" udp/sendto-v4 host4=$side_host_v4 ext4=$internet_v4 port=$port token=7a11e5c0ffffffff >"$lab/routes.end"
    for ((attempt = 0; attempt < 1200; attempt++)); do
        if LC_ALL=C grep -qaP '\x7a\x11\xe5\xc0\xff\xff\xff\xff' "$file"; then break; fi
        sleep 0.05
    done
    if [ $attempt -eq 1200 ]; then not_ok "$runtime: the capture is whole" 'it has not seen the last packet'; fi
    kill -INT "$capturer"
    cat <&"$said" >"$lab/routes.said"
    exec {said}<&-
    arrived=$(/usr/bin/python3 -c '
import sys
packets = open(sys.argv[1], "rb").read()
for n in range(1, int(sys.argv[2]) + 1):
    if bytes.fromhex("7a11e5c0%08x" % n) in packets: print(n)' "$file" "$(wc -l <"$lab/rootfs/routes")")
}

for runtime in crun runc; do
    capture "$runtime"
    without=$arrived
    matches "$runtime: the adversary has tried all, without the jail" 'tried$' "$output"
    capture "$runtime" "${jailed[@]}"
    matches "$runtime: the adversary has tried all, in a jail" 'tried$' "$output"
    got_through=0
    while read -r n route; do
        if ! grep -qx "$n" <<<"$without"; then
            if grep -qx "$n" <<<"$arrived"; then not_ok "$runtime: $route" 'it gets through with the jail and not without'; fi
            continue
        fi
        got_through=$((got_through + 1))
        if grep -qx "$n" <<<"$arrived"; then not_ok "$runtime: $route" 'its token has arrived at the host'; else ok "$runtime: $route"; fi
    done <"$lab/rootfs/routes"
    echo "# $runtime: $got_through of $(wc -l <"$lab/rootfs/routes") routes get through without the jail"
    matches "$runtime: many routes get through without the jail" '^[1-9][0-9]{2,}$|^[3-9][0-9]$' "$got_through"
done
finish
