#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Containers of an ordinary user, jailed by way of the broker: the networks and user namespaces that rootless podman has, the container's whole life,
# and what is refused.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

version="podman $(podman --version | awk '{ print $3 }')"
cannot='container could bypass the block'

# Without a cgroup of the container's own bookworm's crun leaves it in its caller's, where podman and the user's shell are.
own_cgroup() {
    [ "$1" = runc ] || echo --cgroups=split
}

# slirp4netns leads from 10.0.2.2 to the host's loopback only where that is asked for.
check_networks() {
    local runtime=$1 network nowhere='reached reached reached reached ENETUNREACH ENETUNREACH' everywhere='reached reached reached reached reached reached'
    shift
    targets="$host_v4 $host_second_v4 $alias_qemu"
    for network in slirp4netns bridge; do
        jailed_and_not "$runtime, $network" "$runtime" "$nowhere" --network="$network" "$@"
    done
    jailed_and_not "$runtime, slirp4netns, loopback" "$runtime" "$everywhere" --network=slirp4netns:allow_host_loopback=true "$@"
    targets="$host_v4 127.0.0.1 127.9.9.9"
    jailed_and_not "$runtime, host's network" "$runtime" "$everywhere" --network=host --tmpfs=/sys/fs/cgroup:notmpcopyup "$@"
}

check_user_namespaces() {
    local runtime=$1
    shift
    targets=$host_v4
    jailed_and_not "$runtime, keep-id" "$runtime" 'reached reached' --userns=keep-id "$@"
    # Which ids are free for "auto", podman knows of images alone.
    equal "$version, $runtime, auto: its own process is blocked" 'EPERM reached' "$(engine "$runtime" run --rm --userns=auto "${jailed[@]}" "$@" probe \
        /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" 2>&1 | awk '{ print $NF }' | paste -sd ' ')"
}

# What is checked by the hook, in podman's mount namespace; and by the broker, which the container's process can't hide from.
check_refusals() {
    local runtime=$1
    shift
    hooks=$lab/hooks.d turned_down "$runtime, misspelt" "$runtime" 65 jail-ai.blok-host --annotation jail-ai.blok-host=true "$@"
    turned_down "$runtime, host's network, whose cgroups are the user's" "$runtime" 78 "$cannot: .*with.its.cgroup.file.system.*--tmpfs=/sys/fs/cgroup" \
        "${jailed[@]}" --network=host "$@"
    turned_down "$runtime, engine's socket" "$runtime" 78 "$cannot: .*podman.sock" "${jailed[@]}" -v "$kept/podman:/podman" "$@"
    hooks=$lab/hooks.d turned_down "$runtime, CAP_NET_ADMIN" "$runtime" 78 "the.broker.rejects: $cannot: it.has.CAP_NET_ADMIN" "${jailed[@]}" --cap-add=NET_ADMIN "$@"
    turned_down "$runtime, processes of another container's" "$runtime" 78 "the.broker.rejects: $cannot: it.sees.processes" "${jailed[@]}" \
        --pid=container:shared "$@"
    gift=inet turned_down "$runtime, socket from outside" "$runtime" 78 "the.broker.rejects: $cannot: its.descriptor.3.is.an.inet.socket" "${jailed[@]}" \
        --preserve-fds=1 "$@"
}

# By the broker, with the names that the user's podman knows; and not to another user, nor what is root's.
shown_to_their_user() {
    local runtime=$1 name="$version, $1" hook=$lab/bin/jail-ai-hook id
    shift
    cp "$build/hook/jail-ai-hook" "$hook"
    engine "$runtime" run --detach --name shown "${jailed[@]}" --annotation jail-ai.block-host.also=100.64.0.0/10 "$@" --rootfs "$rootfs" \
        /bin/busybox sleep 1000 >"$lab/shown.id"
    id=$(head -c 12 "$lab/shown.id")
    equal "$name: a container of the user's is denied the host" EPERM "$(engine "$runtime" exec shown /probe tcp "$host_v4" "$port" | awk '{ print $NF }')"
    matches "$name: its user sees the jail" "^[^|]*$id \(shown\)  enforce[^|]*" "$(as "$user" "$hook" status | paste -sd '|')"
    matches "$name: and what was denied, by name" "denied $host_v4:$port/tcp \(local\) to 'probe'" "$(as "$user" "$hook" log shown)"
    matches "$name: and what would allow it" "jail-ai.block-host.allow=$host_v4:$port" "$(as "$user" "$hook" suggest shown | paste -sd ' ')"
    equal "$name: root sees the same" "$(as "$user" "$hook" status --json | jq -c 'map({id: .container, denials})')" \
        "$("$hook" status --json "$id" | jq -c 'map({id: .container, denials})')"
    equal "$name: another user doesn't" '[]' "$(as other "$hook" status --json)"
    matches "$name: nor by its ID" "^66 jail-ai-hook: .*$id.* has no jail" "$(status=0; said=$(as other "$hook" log "$id" 2>&1) || status=$?; echo "$status $said")"
    matches "$name: following takes root" '^77 jail-ai-hook: only root may' "$(status=0; said=$(as "$user" "$hook" log --follow 2>&1) || status=$?; echo "$status $said")"
    remove "$runtime" shown
}

rootless_up
user_up other 1501
# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    user_down other 1501 || not_ok 'the other user goes'
    rootless_down "$status"
}
trap end EXIT
as "$user" mkdir "$kept/podman"
tar -C "$rootfs" -c . | as "$user" podman --log-level error import - probe >"$lab/imported" 2>&1
for runtime in runc crun; do
    read -ra options < <(own_cgroup "$runtime" && echo)
    check_networks "$runtime" "${options[@]}"
    check_user_namespaces "$runtime" "${options[@]}"
    lives_on "$runtime" "$host_v4" "${options[@]}"
    shown_to_their_user "$runtime" "${options[@]}"
    engine "$runtime" run --detach --name shared "${options[@]}" --rootfs "$rootfs" /bin/busybox sleep 1000 >"$lab/shared.id"
    check_refusals "$runtime" "${options[@]}"
    remove "$runtime" shared
    # In a user namespace the kernel gives nothing for these.
    equal "$version: $runtime, CAP_BPF and CAP_SYS_MODULE are no way out there" EPERM "$(engine "$runtime" run --rm "${jailed[@]}" --cap-add=BPF,SYS_MODULE \
        "${options[@]}" --rootfs "$rootfs" /probe tcp "$host_v4" "$port" 2>&1 | awk '{ print $NF }')"
    logged bpf >"$lab/logged"
done
turned_down "crun without a cgroup of the container's own" crun 78 "cgroup '/user-$user_id/session' holds process [0-9]+, not only the container's" "${jailed[@]}"
equal "$version: published ports answer, and the rest of the host doesn't" 'hello' "$(
    engine runc run --detach --rm --name published --publish "127.0.0.1:8411:$own_port" "${jailed[@]}" --rootfs "$rootfs" \
        /probe listen tcp 0.0.0.0 "$own_port" hello >"$lab/published.id"
    until engine runc logs published | grep -q ready; do sleep 0.05; done
    /bin/busybox nc 127.0.0.1 8411 </dev/null | head -c 5
)"
remove runc published

broker_down
broker_up --block-host=true --enforce --also=private --allow=host:4000
targets=$bridge_v4
equal "$version: the unit's settings hold for every user" 'reached EPERM' "$(engine runc run --rm "${jailed[@]}" --rootfs "$rootfs" \
    /probe tcp "$host_v4" "$port" -- tcp 10.200.0.1 "$port" | awk '{ print $NF }' | paste -sd ' ')"
logged floor >"$lab/logged"
turned_down 'what the unit enforces is not loosened' runc 65 "the.annotations.loosen.*they.allow.'host:4001'" "${jailed[@]}" \
    --annotation jail-ai.block-host.allow=host:4001
turned_down 'nor watched instead of enforced' runc 65 'they.ask.for.less.than.the.block' --annotation jail-ai.block-host=audit
turned_down 'nor run unprotected' runc 65 'they.let.the.container.run.unprotected' "${jailed[@]}" --annotation jail-ai.block-host.on-failure=run
broker_down

matches "$version: no broker: users can't see their jails, and are told what it takes" "^69 jail-ai-hook: connect to the broker .*systemctl enable --now jail-ai-hook.socket" \
    "$(status=0; said=$(as "$user" "$lab/bin/jail-ai-hook" status 2>&1) || status=$?; echo "$status $said")"
turned_down 'no broker' runc 69 "connect.to.the.broker.at.'$broker_socket': there.is.no.socket.*systemctl.enable.--now.jail-ai-hook.socket" "${jailed[@]}"
equal "$version: no broker, on-failure=run: it starts" reached "$(engine runc run --rm "${jailed[@]}" --annotation jail-ai.block-host.on-failure=run --rootfs "$rootfs" \
    /probe tcp "$host_v4" "$port" | awk '{ print $NF }')"
matches "$version: no broker, on-failure=run: the log shouts" '<26>.*STARTS UNPROTECTED.*systemctl enable' "$(logged unprotected)"
equal "$version: no broker, not asked for: it starts" reached "$(engine runc run --rm --annotation jail-ai.block-host=false --rootfs "$rootfs" \
    /probe tcp "$host_v4" "$port" | awk '{ print $NF }')"

finish
