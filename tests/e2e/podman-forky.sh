#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The podman of the newest Debian release, with the hook as it is installed: podman finds it by its own files of settings. $forky_tree, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=engine.sh
. "$lib/engine.sh"

if [ ! -d "${forky_tree-}" ]; then
    skip 'podman of the newest Debian' "${forky_tree:-there is no tree of it}"
    finish
fi

# By the tree's settings: a variable would take the place of the installed ones.
podman() { beside env --unset CONTAINERS_CONF --unset CONTAINERS_STORAGE_CONF podman --log-level error --runtime "${runtime:-crun}" "$@"; }

# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    if [ -n "$engine_pid" ]; then podman rm --all --force --time 0 >"$lab/removed"; fi
    if nft list table inet netavark >"$lab/nft.out" 2>&1; then nft delete table inet netavark; fi
    engine_down || not_ok "podman's files go"
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}
trap end EXIT

# tried OPTION...: what TCP to the host, to the bridge and to the internet gives, or why podman doesn't start it
tried() {
    podman run --rm "$@" --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port" -- tcp "$bridge_v4" "$port" -- tcp "$internet_v4" "$port" >"$lab/podman.out" 2>"$lab/podman.err" || :
    if grep -q '^tcp' "$lab/podman.out"; then awk '{ print $NF }' "$lab/podman.out" | paste -sd ' '; else paste -sd ' ' "$lab/podman.err"; fi
}

by_exec() { podman exec agent /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" | awk '{ print $NF }' | paste -sd ' '; }

counted() {
    podman inspect --format '{{.State.Pid}}' agent >"$lab/agent.pid"
    denials "$(cgroup_of agent)" | grep -v ^multicast
}

open='reached reached reached' closed='EPERM EPERM reached'

engine_tree_up "$forky_tree"
mkdir -p "$engine_files/etc/containers"
grep -v hooks_dir "$CONTAINERS_CONF" >"$engine_files/etc/containers/containers.conf"
cp "$CONTAINERS_STORAGE_CONF" "$engine_files/etc/containers/storage.conf"
# podman is no daemon: something else holds its files.
engine_start /var/lib/containers /bin/sh -c 'echo ready && exec sleep infinity'
engine_says ready
version=$(beside podman --version | awk '{ print $3 }')
for runtime in crun runc; do
    name="podman $version, $runtime"
    equal "$name, without an annotation: reaches the host" "$open" "$(tried)"
    equal "$name: the host is denied, the internet is not" "$closed" "$(tried "${jailed[@]}")"
    equal "$name: an exception" 'reached reached reached' "$(tried "${jailed[@]}" --annotation "jail-ai.block-host.allow=host:$port")"
    matches "$name, a mistyped value: podman's message names the verb that shows why" 'jail-ai-hook why' "$(tried --annotation jail-ai.block-host=yes)"
    matches "$name, a mistyped key: likewise" 'jail-ai-hook why' "$(tried --annotation jail-ai.blok-host=true)"
    matches "$name, a capability: likewise" 'jail-ai-hook why' "$(tried "${jailed[@]}" --cap-add NET_ADMIN)"
    podman run --detach --name agent "${jailed[@]}" --publish 8400:"$own_port" --rootfs "$lab/rootfs" /probe listen tcp 0.0.0.0 "$own_port" hello >"$lab/started"
    equal "$name: podman exec is in the jail" 'EPERM reached' "$(by_exec)"
    equal "$name: that is counted" 'local 1' "$(counted)"
    equal "$name: its published port answers the internet" reached "$(ip netns exec internet "$build/tests/probe" tcp "$host_v4" 8400)"
    equal "$name: and the host" reached "$("$build/tests/probe" tcp "$host_v4" 8400)"
    equal "$name: verify finds it jailed" 0 "$("$build/hook/jail-ai-hook" verify >"$lab/verify" 2>&1; echo $?)"
    matches "$name: status names it" '\(agent\)  enforce' "$("$build/hook/jail-ai-hook" status agent)"
    podman restart --time 0 agent >"$lab/restarted"
    equal "$name, restarted: it is in a jail" 'EPERM reached' "$(by_exec)"
    equal "$name, restarted: that counts anew" 'local 1' "$(counted)"
    podman rm --force --time 0 agent >"$lab/removed"
    equal "$name: nothing is attached in the end" '' "$(attached_anywhere)"
done
finish
