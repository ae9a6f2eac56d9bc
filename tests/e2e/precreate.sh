#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What podman starts once it has asked the hook's precreate stage: a container, in the jail that createRuntime gives it, that opens no socket
# which the jail's programs don't see, by whatever system call and under whatever profile; those that they do see it opens as before.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=families.sh
. "$lib/families.sh"

hooks=$build/hooks.d # both stages, from the build tree
podman=(podman)

# What else is to be known of a jailed container: that it is in its jail, that no set holds the capability, that podman exec gets no more.
check_jail() {
    local name=$version sets process set
    if ! start inside "${runtime##*/}" "${jailed[@]}" --network ns:/run/netns/side -- \
        /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port"; then
        not_ok "$name: starts" "$(why inside)"
        return
    fi
    equal "$name: it is in its jail" 'EPERM reached' "$(awk '$1 == "tcp" { print $NF }' <<<"$lines" | words)"
    logged "$name" >"$lab/logged"
    for process in 1 self; do
        sets=$(engine "${runtime##*/}" exec inside /bin/busybox sed -n 's/^Cap.*:\t//p' /proc/$process/status)
        equal "$name: none of the five sets of process $process has CAP_NET_RAW" '0 0 0 0 0' "$(while read -r set; do echo $((16#$set >> 13 & 1)); done <<<"$sets" | words)"
    done
    equal "$name: podman exec opens no more" 'tcp open packet EAFNOSUPPORT vsock EAFNOSUPPORT vsock-socketcall SIGSYS' \
        "$(engine "${runtime##*/}" exec inside /family tcp packet vsock vsock-socketcall | words)"
    remove "${runtime##*/}" inside
}

# podman finds both stages by itself where they are installed, by the settings file that says where.
check_installed() {
    local settings=/etc/containers # the view's own copy
    mkdir -p "$settings/containers.conf.d" "$lab/podman.d"
    cp "$build/hooks.d/jail-ai-hook-precreate.json" "$lab/podman.d"
    sed '/^hooks_dir/d' "$CONTAINERS_CONF" >"$settings/containers.conf"
    sed "s|\"[^\"]*/oci/hooks.d\"|\"$lab/hooks.d\"|; s|\"[^\"]*/podman.d\"|\"$lab/podman.d\"|" "$build/hooks.d/installed/podman.d/50-jail-ai-hook.conf" \
        >"$settings/containers.conf.d/50-jail-ai-hook.conf"
    equal "$version: installed, both stages are found" 'EPERM vsock EAFNOSUPPORT' "$(env --unset CONTAINERS_CONF podman --log-level error --runtime "$runtime" \
        run --rm --network host "${jailed[@]}" --rootfs "$lab/rootfs" /bin/sh -c "/probe tcp $host_v4 $port; /family vsock" 2>&1 | words)"
    rm -r "$settings/containers.conf" "$settings/containers.conf.d/50-jail-ai-hook.conf" "$lab/podman.d"
    logged "$version" >"$lab/logged"
}

for name in crun runc; do
    runtime=$lab/bin/$name
    version="podman $(podman --version | awk '{ print $3 }'), $name"
    check_podman
    check_jail
    check_installed
done
finish
