#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Debian 13's containerd, whose shim is given the hook's link to a runtime as ctr gives it, in the place of runc: without Docker, a kubelet or a registry.
# $docker_tree, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=engine.sh
. "$lib/engine.sh"
# shellcheck source=documents.sh
. "$lib/documents.sh"
# shellcheck source=notice.sh
. "$lib/notice.sh"

settings=$engine_files/etc/jail-ai-hook.conf
if [ ! -d "${docker_tree-}" ]; then
    skip 'containerd' "${docker_tree:-there is no tree of it}"
    finish
fi

ctr() { beside ctr --address /run/containerd/containerd.sock "$@"; }

# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    [ -z "$engine_pid" ] || ctr tasks list --quiet | while read -r name; do ctr tasks kill --signal KILL "$name"; done
    engine_down /sys/fs/cgroup/default || not_ok 'containerd goes'
    ! mountpoint -q "$lab/read-only" || umount "$lab/read-only"
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}

# run_ctr OPTION... -- COMMAND...: a container "agent" on the lab's root file system, in the network namespace "side". Not with a weight: not every view has that controller.
run_ctr() {
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    ctr run --cpu-shares 0 --with-ns network:/run/netns/side "${options[@]}" --rootfs "${rootfs:-$lab/rootfs}" agent "$@"
}

# shellcheck disable=SC2317 # for gets
seen() { run_ctr --rm "${link[@]}" "$@" -- /bin/sh -c "$look" 2>&1; }

# tried OPTION...: what TCP to the host and to the internet gives, or why ctr doesn't start it
tried() {
    run_ctr --rm "$@" -- /probe tcp "$host_v4" "$port" -- tcp "$side_host_v4" "$port" -- tcp "$internet_v4" "$port" >"$lab/ctr.out" 2>"$lab/ctr.err" || :
    if grep -q '^tcp' "$lab/ctr.out"; then awk '{ print $NF }' "$lab/ctr.out" | paste -sd ' '; else paste -sd ' ' "$lab/ctr.err"; fi
    ctr containers list --quiet | while read -r name; do ctr containers delete "$name"; done
}

annotated=(--annotation jail-ai.block-host=true)
open='reached reached reached' closed='EPERM EPERM reached'

trap end EXIT
engine_tree_up "$docker_tree"
# Read-only files, in which the runtime can make no other.
mkdir -p "$lab"/rootfs/{proc,dev,sys,run} "$lab/read-only"
mount --bind "$lab/rootfs" "$lab/read-only"
mount -o remount,bind,ro "$lab/read-only"
engine_start /var/lib/containerd containerd --address /run/containerd/containerd.sock
engine_says 'containerd successfully booted'
version=$(ctr version | awk '$1 == "Version:" { version = $2 } END { print version }')
for runtime in runc crun; do
    name="containerd $version, $runtime"
    link=(--runc-binary "/usr/bin/jail-ai-$runtime")
    equal "$name, without an annotation: reaches the host" "$open" "$(tried "${link[@]}")"
    equal "$name: the host is denied, the internet is not" "$closed" "$(tried "${link[@]}" "${annotated[@]}")"
    equal "$name: an exception" "reached reached reached" "$(tried "${link[@]}" "${annotated[@]}" --annotation "jail-ai.block-host.allow=host:$port")"
    matches "$name, a mistyped value: ctr shows why" "rejected: container [a-z0-9]*: jail-ai.block-host: 'yes'" \
        "$(tried "${link[@]}" --annotation jail-ai.block-host=yes)"
    matches "$name, privileged: ctr shows why" 'rejected: .*CAP_SYS_ADMIN' "$(tried "${link[@]}" "${annotated[@]}" --privileged)"
    gets "$name" 'Nothing is allowed there but DNS\..* More: /run/jail-ai-hook.md$' "${annotated[@]}"
    rootfs=$lab/read-only gets "$name, read-only files" 'More: /run/jail-ai-hook.md$' "${annotated[@]}"
    gets_nothing "$name, notice=false" "${annotated[@]}" --annotation jail-ai.block-host.notice=false
    gets_nothing "$name, not asked"
    echo 'block-host = true' >"$settings"
    equal "$name, settings of the machine: jailed without an annotation" "$closed" "$(tried "${link[@]}")"
    rm "$settings"
    logged "$name" >"$lab/logged"

    run_ctr --detach "${link[@]}" "${annotated[@]}" -- /probe listen tcp 0.0.0.0 "$own_port" hello >"$lab/ctr.out" 2>&1
    for ((attempt = 0; attempt < 1200; attempt++)); do
        ! grep -q '^ready' "$lab/ctr.out" || break
        sleep 0.05
    done
    pid=$(ctr tasks list | awk '$1 == "agent" { print $2 }')
    equal "$name: another process in it is in the jail" 'EPERM reached' \
        "$(ctr tasks exec --exec-id more agent /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" | awk '{ print $NF }' | paste -sd ' ')"
    equal "$name: it is counted" 'local 1' "$(denials "$(sed -n 's|^0::|/sys/fs/cgroup|p' "/proc/$pid/cgroup")" | grep -v ^multicast)"
    equal "$name: its port answers the host" reached "$("$build/tests/probe" tcp "$side_v4" "$own_port")"
    equal "$name: verify finds it jailed" 0 "$("$build/hook/jail-ai-hook" verify >"$lab/verify" 2>&1; echo $?)"
    ctr tasks delete --force agent >"$lab/removed" 2>&1
    ctr containers delete agent
done
document ctr
# Its network namespace is empty: what isn't denied has no way.
equal 'documents: ctr' 'EPERM ENETUNREACH' \
    "$(eval "${text//IMAGE agent/--cpu-shares 0 --rootfs $lab/rootfs agent /probe tcp $host_v4 $port -- tcp 10.1.2.3 $port}" 2>&1 | awk '{ print $NF }' | paste -sd ' ')"
equal "annotations mean nothing to containerd's own runtime" "$open" "$(tried "${annotated[@]}")"
finish
