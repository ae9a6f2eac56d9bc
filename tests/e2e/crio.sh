#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Containers as CRI-O makes them: a bundle for the pod's sandbox and one for each container beside it, in RUNROOT/DRIVER-containers/ID/userdata, the pod's
# annotations in both and the container's own over them. No Debian release has CRI-O, so that runtimes are given what its SpecAddAnnotations writes.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"

storage=$lab/crio/overlay-containers
sandbox=5a0d container=c047

# bundle_of ID ANNOTATION... -- COMMAND...
bundle_of() {
    local id=$1 directory=$storage/$1/userdata options=()
    shift
    while [ "$1" != -- ]; do
        options+=(--annotation "$1")
        shift
    done
    rm -rf "$directory"
    "$lib/bundle.sh" "$directory" "$lab/rootfs" --hook "$build/hook/jail-ai-hook" --cgroup "/crio-$id" --annotation io.container.manager=cri-o \
        --annotation "run.oci.hooks.stderr=$lab/crio.hook" \
        --annotation "io.kubernetes.cri-o.SandboxID=$sandbox" --annotation "io.kubernetes.cri-o.ContainerID=$id" "${options[@]}" "$@"
    jq '.hooks.createRuntime[].args += $ARGS.positional' --args -- "${flags[@]}" <"$directory/config.json" >"$lab/config.json"
    mv "$lab/config.json" "$directory/config.json"
}

# pod SETTING... + SETTING...: the pod's settings, and those of its container, which replace them; what TCP to the host, to another address and to a third
# then gives, or the hook's status
pod() {
    local pod=() both=() key
    declare -A all=()
    while [ "$1" != + ]; do
        pod+=("jail-ai.block-host$1")
        all["set${1%%=*}"]=${1#*=}
        shift
    done
    shift
    for key in "$@"; do all["set${key%%=*}"]=${key#*=}; done
    for key in "${!all[@]}"; do both+=("jail-ai.block-host${key#set}=${all[$key]}"); done
    bundle_of "$sandbox" "${pod[@]}" -- /bin/busybox true
    bundle_of "$container" "${both[@]}" -- /probe tcp "$host_v4" "$port" -- tcp "$host_v4" "$own_port" -- tcp "$internet_v4" "$port"
    run_container
}

run_container() {
    local status=0 words
    : >"$lab/crio.hook" # what the hook says, which crun keeps to itself and runc tells
    words=$("$lab/bin/$runtime" --root "$lab/state" run --bundle "$storage/$container/userdata" "$container" 2>"$lab/crio.err") || status=$?
    if grep -q 'exit \(code:\|status\) [0-9]' "$lab/crio.err"; then
        sed -n 's/.*exit \(code:\|status\) \([0-9]*\).*/status \2/p; s/.*\(jail-ai-hook: .*\)/\1/p' "$lab/crio.err" "$lab/crio.hook" | paste -sd ' '
    else
        awk '{ print $NF }' <<<"$words" | paste -sd ' '
    fi
}

# unhooked ID: runs what the bundle has without the hook, as CRI-O runs a pod's sandbox, and everything where it doesn't find the hook; and what verify says
unhooked() {
    local directory=$storage/$1/userdata status=0
    jq 'del(.hooks)' <"$directory/config.json" >"$lab/config.json"
    mv "$lab/config.json" "$directory/config.json"
    ready "$lab/bin/$runtime" --root /run/crun run --bundle "$directory" "$1"
    "$build/hook/jail-ai-hook" verify >"$lab/verify" 2>&1 || status=$?
    echo "$status $(paste -sd ' ' "$lab/verify")"
    "$lab/bin/$runtime" --root /run/crun kill "$1" KILL
    while [ -e "/run/crun/$1" ]; do sleep 0.02; done # which the one that ran it takes away
}

# Earlier themes leave bridges that take packets for the host's loopback, which verify would say.
for setting in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 0 >"$setting"; done

open='reached ECONNREFUSED reached' closed='EPERM EPERM reached'
for runtime in crun runc; do
    flags=()
    equal "$runtime, nothing else is said: the pod's word" "$closed" "$(pod '=true' +)"
    equal "$runtime, 'false' in both: not jailed" "$open" "$(pod '=false' + '=false')"
    logged "$runtime" >"$lab/logged"
    equal "$runtime, 'false' for the container: the pod's word holds" "$closed" "$(pod '=true' + '=false')"
    matches "$runtime, the same: the log says so" "annotation.jail-ai.block-host='false'.has.no.effect:.the.pod.has.'true'" "$(logged told | paste -sd '|')"
    equal "$runtime, 'audit' for the container: the same" "$closed" "$(pod '=true' + '=audit')"
    equal "$runtime, the container takes exceptions: the same" "$closed" "$(pod '=true' + ".allow=host:$port" .on-failure=run)"
    equal "$runtime, the pod has them" 'reached EPERM reached' "$(pod '=true' ".allow=host:$port" +)"
    equal "$runtime, the container asks for more: granted" 'EPERM EPERM EPERM' "$(pod '=true' + .also=203.0.113.0/24)"
    equal "$runtime, the container asks for other blocks: those of the pod stay" 'EPERM EPERM EPERM' "$(pod '=true' .also=203.0.113.0/24 + .also=192.0.2.0/24)"
    equal "$runtime, a pod without the block, a container that asks" "$closed" "$(pod '=false' + '=true')"
    equal "$runtime, a pod that says nothing, a container that asks and has exceptions" 'reached EPERM reached' "$(pod + '=true' ".allow=host:$port")"
    flags=(--block-host=true)
    equal "$runtime, administrator's default: the pod may loosen it" "$open" "$(pod '=false' + '=false')"
    flags=()
    stays=(/probe listen tcp 127.0.0.1 "$own_port")
    bundle_of "$container" jail-ai.block-host=false -- "${stays[@]}"
    bundle_of "$sandbox" jail-ai.block-host=true -- "${stays[@]}"
    equal "$runtime, a pod's sandbox, for which CRI-O calls no hooks: verify asks for no jail" '0 containers that must be jailed: 0; jailed: 0' "$(unhooked "$sandbox")"
    matches "$runtime, 'false' for a container that the hook was not called for: verify goes by the pod's word" \
        "^1 $container: not jailed: .* containers that must be jailed: 1; jailed: 0$" "$(unhooked "$container")"
    bundle_of "$container" jail-ai.block-host=true -- /probe tcp "$host_v4" "$port"
    rm -r "${storage:?}/$sandbox"
    matches "$runtime, a pod of which nothing can be read: rejected" '^status 66' "$(run_container)"
done
rm -r "$lab/crio"
finish
