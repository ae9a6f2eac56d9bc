#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What slirp4netns leads to the host's loopback, by every option that podman has for it: reached without the jail, denied with it. Root's podman.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

loopback_port=4301
ready "$build/tests/probe" listen tcp 127.0.0.1 $loopback_port hello -- tcp ::1 $loopback_port hello
conf=/run/view/slirp.conf
sed 's|^\[engine\]|[engine]\nnetwork_cmd_options = ["allow_host_loopback=true", "cidr=10.6.0.0/24"]|' "$CONTAINERS_CONF" >"$conf"

# led NAME ADDRESS OPTION...: the address is the host's loopback without the jail, and is denied with it, by connect and counted
led() {
    local name=$1 address=$2 annotations words
    shift 2
    for annotations in '' jail-ai.block-host=true; do
        words="$address reached, internet reached"
        [ -z "$annotations" ] || words="$address EPERM, internet reached"
        if ! start led runc "$@" ${annotations:+--annotation "$annotations"} -- /probe listen tcp 127.0.0.1 "$own_port" hello "then" \
            tcp "$address" $loopback_port -- tcp "$internet_v4" "$port"; then
            not_ok "$name: starts${annotations:+ jailed}" "$(why led)"
            continue
        fi
        equal "$name${annotations:+, jailed}: $words" "$words" \
            "$(awk -v host="$address" '$1 == "tcp" { printf "%s%s %s", separator, $2 == host ? host : "internet", $4; separator = ", " }' <<<"${lines%$'\n'}")"
        [ -z "$annotations" ] || equal "$name: the denial is counted" 'alias 1' "$(denials "$(cgroup_of led)" | grep -v multicast)"
        remove runc led
    done
}

slirp=slirp4netns:allow_host_loopback=true
led 'the default range' 10.0.2.2 --network "$slirp"
led 'another range' 10.5.0.2 --network "$slirp,cidr=10.5.0.0/24"
led 'another range, the network comes late' 10.5.0.2 --network "$slirp,cidr=10.5.0.0/24" --uidmap 0:100000:65536
CONTAINERS_CONF=$conf led "containers.conf's range" 10.6.0.2 --network slirp4netns
CONTAINERS_CONF=$conf led "containers.conf's range, the network comes late" 10.6.0.2 --network slirp4netns --uidmap 0:100000:65536
finish
