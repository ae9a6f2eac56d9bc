#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What a container was denied, or would have been in audit mode, is suggested as an annotation; a container with that reaches it, and nothing else of the host.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=schema.sh
. "$lib/schema.sh"

hook=$build/hook/jail-ai-hook
listening=(-- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port" -- tcp "$host_v4" 4999)

# With another port closed, ECONNREFUSED says that the packet passed.
for runtime in crun runc; do
    for mode in audit true; do
        case $mode in audit) was='would have been' ;; true) was=was ;; esac
        name="$runtime, block-host=$mode"
        if ! start hit "$runtime" --network dual --annotation jail-ai.block-host=$mode --annotation jail-ai.block-host.allow=host:4001 "${listening[@]}"; then
            not_ok "$name: starts" "$(why hit)"
            continue
        fi
        said=$("$hook" suggest hit)
        matches "$name: says what was denied" "  $host_v4:$port  (would have )?denied \(local\), [0-9]+ times?" "$said"
        matches "$name: says what the annotation is for" ": to allow what $was denied, and nothing else" "$said"
        value=$(sed -n "s/^podman, docker:  --annotation '\(.*\)'$/\1/p" <<<"$said")
        equal "$name: suggests these, behind what is allowed already" "jail-ai.block-host.allow=host:4001 $host_v4:$port $host_v4:4999" "$value"
        conforms "$name: for machines, as the schema says" suggest "$("$hook" suggest --json hit)"
        remove "$runtime" hit
    done
    equal "$runtime: with that these are reached, and another port of the host is not" 'reached ECONNREFUSED EPERM' \
        "$(engine "$runtime" run --rm --network dual "${jailed[@]}" --annotation "$value" --rootfs "$lab/rootfs" \
            /probe tcp "$host_v4" "$port" -- tcp "$host_v4" 4999 -- tcp "$host_v4" 4998 | awk '{ print $NF }' | paste -sd ' ')"
    start free "$runtime" --network dual "${jailed[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$internet_v4" "$port"
    matches "$runtime: of a container that was denied nothing, nothing is suggested" ': nothing to allow$' "$("$hook" suggest free)"
    remove "$runtime" free
done
equal 'a container that is none is an error' 66 "$("$hook" suggest no-such >"$lab/suggested" 2>&1; echo $?)"
finish
