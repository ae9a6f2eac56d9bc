#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What pasta and slirp4netns lead to the host's loopback, for an ordinary user's podman of Debian 13, by options of the container
# and of the user's settings: reached without the jail, denied with it.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

# shellcheck source=portable.sh
. "$lib/portable.sh"
hooks=$portable/hooks.d
in_tree=("$lib/in-tree" "$trixie_tree")
loopback_port=4302 gateway_v4=198.51.100.1
ready "$build/tests/probe" listen tcp 127.0.0.1 $loopback_port hello -- udp 127.0.0.1 $loopback_port -- tcp ::1 $loopback_port hello

# leads NAME ADDRESS JAILED OPTION...: ADDRESS is the host's loopback without the jail; with it JAILED is what TCP and UDP give
leads() {
    local name="$version: $1" address=$2 jailed_words=$3 with words
    shift 3
    for with in no yes; do
        words="reached reached reached"
        [ $with = no ] || words="$jailed_words reached"
        # shellcheck disable=SC2046 # no annotation, no word
        if ! start rootless runc "$@" $([ $with = no ] || echo "${jailed[@]}") -- /probe listen tcp 127.0.0.1 "$own_port" hello "then" \
            tcp "$address" $loopback_port -- udp "$address" $loopback_port -- tcp "$internet_v4" "$port"; then
            not_ok "$name: starts, jailed: $with" "$(why rootless)"
            continue
        fi
        equal "$name, jailed: $with" "$words" "$(results)"
        remove runc rootless
    done
}

rootless_up
version="podman $(as "$user" podman --version | awk '{ print $3 }')"
leads '--map-gw' $gateway_v4 'EPERM EPERM' --network=pasta:--map-gw
leads '--map-host-loopback' 198.18.0.9 'EPERM EPERM' --network=pasta:--map-host-loopback,198.18.0.9
leads '--map-gw, the network comes late' $gateway_v4 'EPERM EPERM' --network=pasta:--map-gw --userns=keep-id
leads '--map-host-loopback, the network comes late' 198.18.0.9 'EPERM EPERM' --network=pasta:--map-host-loopback,198.18.0.9 --userns=keep-id
leads 'slirp4netns with cidr=' 10.5.0.2 'EPERM EPERM' --network=slirp4netns:allow_host_loopback=true,cidr=10.5.0.0/24
# What one asks for by its port is open, and told.
leads '-T and -U with a port' 127.0.0.1 'reached reached' --network=pasta:-T,$loopback_port,-U,$loopback_port
turned_down '-T auto' runc 78 "accept=host-loopback" --network=pasta:-T,auto "${jailed[@]}"

CONTAINERS_CONF=$kept/containers.conf
sed 's#^\[network\]#[network]\npasta_options = ["--map-host-loopback", "198.18.0.8"]#' /run/view/containers.conf >"$CONTAINERS_CONF"
chmod 644 "$CONTAINERS_CONF"
leads 'pasta_options' 198.18.0.8 'EPERM EPERM'
leads 'pasta_options, the network comes late' 198.18.0.8 'EPERM EPERM' --userns=keep-id
leads 'pasta_options, a bridge' 198.18.0.8 'EPERM EPERM' --network=bridge
finish
