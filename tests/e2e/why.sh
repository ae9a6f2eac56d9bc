#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Who types `podman run` and has a container rejected learns why, with crun as with runc: podman's message names the verb that shows the reason, and that verb
# finds it in what a syslog daemon has written.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=schema.sh
. "$lib/schema.sh"

hook=$build/hook/jail-ai-hook
mount -t tmpfs log /var/log # the view's own
hooks=$build/hooks.d        # both stages

equal 'without a log, that is said' 69 "$("$hook" why >"$lab/why" 2>&1; echo $?)"

# As rsyslog writes what /dev/log got.
keep_log() { logged "$1" | sed 's/^<[0-9]*>\(... .. ..:..:..\) /\1 host /' >>/var/log/syslog; }

# tried NAME REASON PODMAN-OPTION...: of whatever stage rejects it, with $runtime
tried() {
    local name="$runtime: $1" reason=$2 status=0
    shift 2
    engine "$runtime" run --rm --name tried --cidfile "$lab/tried.id" --network host "$@" --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port" >"$lab/said" 2>&1 || status=$?
    equal "$name: is rejected" 126 "$status"
    keep_log "$name"
    matches "$name: why shows the reason and what to do" "$reason" "$("$hook" why --last=1)"
    rm -f "$lab/tried.id"
}

for runtime in crun runc; do
    tried 'a slip in an annotation' "block-host: 'yes'" --annotation jail-ai.block-host=yes
    matches "$runtime: podman's message names the verb" 'jail-ai-hook why' "$(<"$lab/said")"
    tried 'a capability' 'CAP_SYS_ADMIN: drop it \(--cap-drop=SYS_ADMIN' "${jailed[@]}" --cap-add SYS_ADMIN
    matches "$runtime: podman's message names the verb, for what config.json shows" 'jail-ai-hook why' "$(<"$lab/said")"
    tried 'several risks' "drop it.*accept='cap_sys_admin host-pid'" "${jailed[@]}" --cap-add SYS_ADMIN --pid host
    equal "$runtime: an accepted one is none" EPERM "$(engine "$runtime" run --rm --network host "${jailed[@]}" --annotation jail-ai.block-host.accept=host-pid --pid host \
        --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port")"
    keep_log accepted
    # What config.json doesn't show: createRuntime rejects, and knows the name.
    hooks=$lab/hooks.d
    tried 'what createRuntime finds' '[0-9a-f]{12} \(tried\): .*CAP_NET_RAW.*accept=cap_net_raw' "${jailed[@]}"
    hooks=$build/hooks.d
    matches "$runtime: by name" 'tried.*CAP_NET_RAW' "$("$hook" why tried)"
    conforms "$runtime: for machines, as the schema says" why "$("$hook" why --json)"
done
equal 'a container that was not rejected is said to be none' 66 "$("$hook" why no-such >"$lab/why" 2>&1; echo $?)"
equal 'as many as are asked for' 2 "$("$hook" why --last=2 | wc -l)"
finish
