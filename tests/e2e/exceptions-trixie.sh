#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Exceptions, additions, audit and DNS with the podman of Debian 13. A container lives in one call of podman there, and
# says by itself what it reaches.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=portable.sh
. "$lib/portable.sh"
podman=("$lib/in-tree" "$trixie_tree" podman)
portable_hooks=$portable/hooks.d

next=$((port + 2)) domain=agent.lab
ready "$lib/name-server" $domain $internet_v4 $host_second_v4 $host_second_v6 127.0.0.54
ready "$build/tests/probe" listen tcp $host_v4 $next -- tcp $host_v6 $next -- tcp 127.0.0.1 $next -- tcp 127.0.0.54 $port
mkdir -p "$lab"/rootfs/{proc,sys,dev,etc,run}
touch "$lab"/rootfs/etc/{resolv.conf,hosts,hostname} "$lab/rootfs/run/.containerenv"
# Nobody here needs address translation.
printf '[network]\nfirewall_driver = "none"\n' >"$lab/no-firewall.conf"
printf 'nameserver %s\nnameserver %s\nnameserver %s\n' 127.0.0.54 $host_second_v6 $host_second_v4 >"$lab/resolv.conf"
mount --bind "$lab/resolv.conf" /etc/resolv.conf
export CONTAINERS_CONF_OVERRIDE=$lab/no-firewall.conf

declare -A network=(
    [default]="--network=podman"
    [side]="--network=ns:/run/netns/side"
    [host]="--network=host"
    [user]="--network=user"
    [later]="--network=podman --uidmap=0:100000:65536"
)
declare -A destinations=(
    [user]="tcp 10.76.3.1 53 -- udp $host_v4 $port -- tcp $host_v4 $port -- tcp 10.76.3.1 $port -- tcp $dual_v4 53 -- tcp $internet_v4 $port"
    [default]="tcp $host_v4 $port -- tcp $host_v4 $next -- udp $host_v4 $port -- tcp $bridge_v4 $port -- tcp $host_second_v4 $port -- tcp $internet_v4 $port"
    [side]="tcp $host_v4 $port -- tcp $host_v6 $port -- tcp $host_v6 $next -- udp $host_v6 $port -- tcp $host_second_v6 $port -- tcp $internet_v6 $port"
    [host]="tcp 127.0.0.1 $port -- tcp 127.0.0.1 $next -- udp 127.0.0.1 $port -- tcp ::1 $port -- tcp 127.0.0.54 $port -- tcp $internet_v4 $port"
)
destinations[later]=${destinations[default]}

# VERDICTS as in exceptions.sh, where a port at which nobody listens is as open as another; NAMES says whether the name is resolved.
rows=$(
    cat <<TABLE
# NETWORK  VERDICTS  NAMES  SETTINGS
default    -----+    yes    =true
default    +--+++    yes    =true .allow=host:$port
default    --+---    no     =true .allow=host:$port/udp .also=203.0.113.0/24 .dns=off
default    ++++++    yes    =audit
side       -----+    yes    =true
side       -+---+    no     =true .allow=[$host_v6]:$port .dns=off
side       ---+-+    yes    =true .allow=[fd00:c633::/64]:$port/udp
host       -----+    yes    =true
host       +--+++    yes    =true .allow=host:$port
host       +-----    no     =true .allow=127.0.0.1:$port .also=203.0.113.5 .dns=off
user       +----+    yes    =true
user       -----+    no     =true .dns=off
later      -----+    yes    =true
later      +--+++    yes    =true .allow=host:$port .also=10.88.0.0/16
TABLE
)

cat >"$lab/rootfs/all" <<SCRIPT
#!/bin/sh
/probe "\$@" | /bin/busybox awk '{ printf "%s", (\$4 ~ /^(reached|ECONNREFUSED)\$/ ? "+" : \$4 == "EPERM" ? "-" : "(" \$0 ")") }'
/bin/busybox nslookup $domain 2>&1 | /bin/busybox grep -q "^Address.*$internet_v4" && echo ' yes' || echo ' no'
SCRIPT
chmod +x "$lab/rootfs/all"

# A network that serves names, too, at an address of the host, and that the container is not in.
jq -n --arg gateway $dual_v4 '{name: "other", id: ("0" * 64), driver: "bridge", network_interface: "podman9", dns_enabled: true,
    subnets: [{subnet: "10.77.0.0/24", gateway: $gateway}], ipam_options: {driver: "host-local"}}' >"$lab/other.json"
cat >"$lab/portable/next" <<SCRIPT
#!/bin/sh
runtime=\$1
shift
case "\$*" in
    *network=user*)
        podman network create --subnet 10.76.3.0/24 user >/dev/null
        while read -r line; do echo "\$line"; done <$lab/other.json >/etc/containers/networks/other.json
        ;;
esac
exec podman --log-level error --runtime "\$runtime" --hooks-dir $portable_hooks run --rm "\$@"
SCRIPT
chmod +x "$lab/portable/next"

# said MODE SETTING...: by the container itself
said() {
    local mode=$1 setting options=()
    shift
    hooks=$portable_hooks finds_hooks '' || return
    read -ra options <<<"${network[$mode]}"
    for setting in "$@"; do options+=(--annotation "jail-ai.block-host$setting"); done
    # shellcheck disable=SC2086 # a list of words
    "${podman[0]}" "${podman[1]}" "$lab/portable/next" "$runtime" "${options[@]}" --rootfs "$lab/rootfs" /all ${destinations[$mode]} 2>&1
}

number=$("${podman[@]}" --version | awk '{ print $3 }')
for runtime in crun runc; do
    for mode in "${!destinations[@]}"; do
        equal "podman $number, $runtime, $mode network: every destination answers without a jail" '++++++ yes' "$(said "$mode" =false)"
    done
    while read -r mode verdicts names settings; do
        case $mode in '#'*) continue ;; esac
        # shellcheck disable=SC2086 # a list of settings
        equal "podman $number, $runtime, $mode network: $settings" "$verdicts $names" "$(said "$mode" $settings)"
    done <<<"$rows"
done
umount /etc/resolv.conf
finish
