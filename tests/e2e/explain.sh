#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What "explain" says of containers that run, found by name, by ID and by process: the same that their own attempts tell, and how the jail differs
# from what it would be now.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=schema.sh
. "$(dirname "$0")/../lib/schema.sh"

next=$((port + 1)) new_v4=192.0.2.99
destinations=("$host_v4:$port/tcp" "$host_v4:$port/udp" "$host_v4:$next/tcp" "[$host_v6]:$port/tcp" "$metadata_v4:$port/tcp"
    "$internet_v4:$port/tcp" "$peer_v4:$port/tcp" "[64:ff9b::$host_v4]:$next/tcp")

# explain ARGUMENT...
explain() { "$build/hook/jail-ai-hook" explain "$@" 2>&1; }

# What the container's own attempts at the destinations end with, as explain's words for it.
attempted() {
    local destination address kind probes=()
    for destination in "${destinations[@]}"; do
        address=${destination%:*} kind=${destination##*/}
        address=${address#[} address=${address%]}
        destination=${destination##*:}
        probes+=("$kind" "$address" "${destination%/*}" 1000 --)
    done
    unset 'probes[-1]'
    engine "$runtime" exec explained /probe "${probes[@]}" | awk '{ print $4 == "EPERM" ? "denied" : "allowed" }' | paste -sd ' '
}

# verdicts FILTER OPTION...: of the same destinations, by explain
verdicts() {
    local filter=$1 destination
    shift
    for destination in "${destinations[@]}"; do explain "$destination" --json "$@" | jq -r "$filter"; done | paste -sd ' '
}

for runtime in crun runc; do
    if ! start explained "$runtime" --network dual "${jailed[@]}" --annotation "jail-ai.block-host.allow=host:$port" -- \
        /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$internet_v4" "$port"; then
        not_ok "$runtime: starts" "$(why explained)"
        continue
    fi
    id=$(podman inspect --format '{{.Id}}' explained)
    pid=$(<"$lab/explained.pid")
    expected=$(attempted)
    matches "$runtime: some attempts fail, and some don't" 'denied.*allowed' "${expected#allowed}"
    for found in "--container=explained" "--container=$id" "--container=${id::9}"; do
        equal "$runtime, ${found/$id/ID}: what would be attached says the same as the attempts" "$expected" "$(verdicts .verdict "$found")"
        equal "$runtime, ${found/$id/ID}: and so does the jail that is" "$expected" "$(verdicts .jail.verdict "$found")"
    done
    equal "$runtime: by process the jail says the same" "$expected" "$(verdicts .jail.verdict "--pid=$pid")"
    conforms "$runtime: a destination's answer is what the schema says" explain "$(explain "$host_v4:$port" "--pid=$pid" --json)"
    conforms "$runtime: so is the whole policy" explain "$(explain --json "--pid=$pid")"
    equal "$runtime: by process, nobody knows the annotations" "$(explain "$host_v4:$port" "--pid=$pid" --json | jq -r .verdict)" denied
    equal "$runtime: with its annotations the process's jail is as it would be" "[]" \
        "$(explain --json "--pid=$pid" --annotation "jail-ai.block-host.allow=host:$port" | jq -c .jail.differences)"
    matches "$runtime: a rule shows its source" "$host_v4:$next/tcp: denied \(local\): $host_v4: local route, uplink; allow host:$port" \
        "$(explain "$host_v4:$next" --container explained)"
    matches "$runtime: the jail is reported as up to date" "attached to cgroup '/.*': the same policy" "$(explain --container explained)"
    ip address add "$new_v4/32" dev lo
    matches "$runtime: an address that the host got later is the difference" "not the policy that it would get now:[^+~-]*\+ $new_v4: denied \(local\), allowed $port/tcp\$" \
        "$(explain "$new_v4" --container explained)"
    ip address del "$new_v4/32" dev lo
    remove "$runtime" explained

    start explained "$runtime" --network dual -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$internet_v4" "$port"
    matches "$runtime: a container without a jail is reported so" "container [0-9a-z]+ is not jailed" "$(explain "$host_v4:$port" --container explained)"
    remove "$runtime" explained
    equal "$runtime: a container that is gone is an error" "jail-ai-hook: no container 'explained' runs" "$(explain --container explained || :)"
done
finish
