#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Containers that are written to disk and go on from there. runc calls the hooks again, and the guard keeps out the descriptors of directories that CRIU hands
# to the container: it doesn't go on. crun calls none: verify misses the jail, and attach gives it back.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

hook=/usr/libexec/oci/hooks.d/jail-ai-hook
files=/root/rootfs
slow=30000 # milliseconds
forever='while :; do busybox sleep 100; done' # a sleep that was interrupted may be over
cp -a "$lab/rootfs" "$files"

# reach RUNTIME: what becomes of an attempt from inside at the host, and at the internet
reach() { echo "$(engine "$1" exec agent /probe tcp $host_v4 $port $slow) $(engine "$1" exec agent /probe tcp $internet_v4 $port $slow)"; }

# done_by RUNTIME COMMAND...: a row that fails where the command does
done_by() {
    local runtime=$1 words
    shift
    if words=$(engine "$runtime" "$@" 2>&1); then ok "$runtime: $*"; else not_ok "$runtime: $*" "$words$(journal)"; fi
}

verified() {
    status=0
    said=$("$hook" verify 2>&1) || status=$?
}

for runtime in runc crun; do
    if [ "$runtime $release" = 'crun 12' ]; then
        skip "$runtime: a restored container" "Debian 12's crun is built without CRIU"
        continue
    fi
    done_by "$runtime" run --detach --name agent --network bridge "${jailed[@]}" --rootfs "$files" /bin/sh -c "$forever"
    equal "$runtime: it is jailed" 'EPERM reached' "$(reach "$runtime")"
    done_by "$runtime" container checkpoint agent
    equal "$runtime: nothing is left of its jail" 'no container is jailed here' "$("$hook" status)"
    if [ "$runtime" = runc ]; then
        status=0
        engine "$runtime" container restore agent >"$lab/restored" 2>&1 || status=$?
        matches "$runtime: it is not restored" '^12[5-7] .*criu failed' "$status $(paste -sd ' ' "$lab/restored")"
        matches "$runtime: for of a guarded jail" '^container [0-9a-f]{12}.*: jailed: .*, guarded' "$(journal)"
        equal "$runtime: nothing of it runs" '' "$(podman ps --format '{{.Names}}')"
        equal "$runtime: nothing is left of its second jail" 'no container is jailed here' "$("$hook" status)"
    else
        done_by "$runtime" container restore agent
        verified
        matches "$runtime: verify misses the jail" "^1 [0-9a-f]{12} \(agent\): not jailed: its annotations or the settings file ask for it" "$status $said"
        equal "$runtime: for it reaches the host" 'reached reached' "$(reach "$runtime")"
        "$hook" attach --container agent >"$lab/attached" 2>&1 || not_ok "$runtime: attach" "$(<"$lab/attached")"
        equal "$runtime: restored, it is jailed" 'EPERM reached' "$(reach "$runtime")"
        verified
        equal "$runtime: verify is content" '0 containers that must be jailed: 1; jailed: 1' "$status $said"
    fi
    done_by "$runtime" rm --force --time 0 agent
done
rm -r "$files"
finish
