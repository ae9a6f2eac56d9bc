#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# An ordinary user's containers by root's /etc/jail-ai-hook.conf, which the user's hook reads: without annotations, and while the broker is silent.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

settings=/etc/jail-ai-hook.conf # in the view's own copy of /etc
version="podman $(podman --version | awk '{ print $3 }')"
# shellcheck disable=SC2317 # by the trap
all_down() {
    local status=$?
    rm -f "$settings"
    rootless_down "$status"
}
trap all_down EXIT

# reaches: the host, and the internet
reaches() {
    engine runc run --rm --rootfs "$rootfs" /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" 2>"$lab/floor.err" |
        awk '{ print $NF }' | paste -sd ' '
}

rootless_up
logged before >"$lab/logged"
equal "$version: without a settings file a container that doesn't ask reaches what it likes" 'reached reached' "$(reaches)"
equal "$version: and leaves no line in the log" '' "$(logged unasked)"
printf 'block-host = true\nenforce = true\n' >$settings
jailed_here="$version: with one"
if start rootless runc -- /probe listen tcp 127.0.0.1 "$own_port" hello "then" tcp "$host_v4" "$port" -- udp "$host_v4" "$port" -- \
    tcp "$internet_v4" "$port"; then
    equal "$jailed_here, one that doesn't ask reaches the internet and not the host" 'EPERM EPERM reached' "$(results)"
    equal "$jailed_here, each denial is counted" 'local 2' "$(denials "$(cgroup_of rootless)" | grep -v '^multicast')"
    remove runc rootless
else
    not_ok "$jailed_here, one that doesn't ask starts" "$(why rootless)"
fi
logged jailed >"$lab/logged"
hooks=$lab/hooks.d turned_down 'an annotation that loosens' runc 65 'the.annotations.loosen.what.is.enforced.on.this.machine' --annotation jail-ai.block-host=false

broker_down
turned_down 'no broker' runc 69 "connect.to.the.broker.at.'$broker_socket': there.is.no.socket" --annotation a=b
hooks=$lab/hooks.d turned_down 'no broker, though it asks to run' runc 65 'they.let.the.container.run.unprotected' --annotation jail-ai.block-host.on-failure=run
chmod 600 $settings
status=0
engine runc run --rm --rootfs "$rootfs" /bin/busybox true 2>"$lab/floor.err" || status=$?
equal "$version: a file that the user can't read rejects the user's containers" 126 "$status"
matches "$version: and the log says so" "'$settings': Permission denied: chmod 644 $settings" "$(logged unreadable)"
rm $settings
equal "$version: once it is gone a container that doesn't ask needs no broker" 'reached reached' "$(reaches)"
finish
