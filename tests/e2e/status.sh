#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What "status" says of real containers: which are jailed and which are not, and what was refused, and how often, by whom.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=schema.sh
. "$(dirname "$0")/../lib/schema.sh"

# status ARGUMENT...
status() { "$build/hook/jail-ai-hook" status "$@" 2>&1; }
listed() { status --json | jq -r "map($1) | join(\" \")"; }

everything=cap_net_admin,cap_bpf,cap_sys_admin,cap_dac_read_search,cap_sys_module,host-cgroups,host-pid,engine-socket,cap_net_raw,vsock,ia32,abstract-unix

equal 'nobody is jailed, and it says so' 'no container is jailed here' "$(status)"
equal 'so does log' 'no container is jailed here' "$("$build/hook/jail-ai-hook" log)"
equal 'and to machines it says nothing' '' "$("$build/hook/jail-ai-hook" log --json)"
for runtime in crun runc; do
    started=yes
    start free "$runtime" --network dual -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port" || started=no
    start held "$runtime" --network dual "${jailed[@]}" -- \
        /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port" -- tcp "$host_v4" "$port" -- udp "$host_v6" "$port" -- tcp "$internet_v4" "$port" || started=no
    start watched "$runtime" --network dual --annotation jail-ai.block-host=audit -- \
        /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port" || started=no
    start quiet "$runtime" --network dual "${jailed[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$internet_v4" "$port" || started=no
    if [ $started = no ]; then
        not_ok "$runtime: starts" "$(why held)"
        continue
    fi
    held=$(podman inspect --format '{{.Id}}' held) watched=$(podman inspect --format '{{.Id}}' watched) quiet=$(podman inspect --format '{{.Id}}' quiet)
    equal "$runtime: the jailed ones are listed, and no other" "$(printf '%s\n' "$held enforce" "$watched audit" "$quiet enforce" | sort | paste -sd ' ')" \
        "$(status --json | jq -r '.[] | "\(.container) \(.mode)"' | sort | paste -sd ' ')"
    equal "$runtime: what was refused is told by destination, with how often and by whom" "$host_v4:$port/tcp 2 probe [$host_v6]:$port/udp 1 probe" \
        "$(status --json "${held:0:12}" | jq -r '.[].recent_denials | map("\(.what) \(.count) \(.comm)") | sort | join(" ")')"
    equal "$runtime: what is only watched is counted the same" "$host_v4:$port/tcp 1" \
        "$(status --json "$watched" | jq -r '.[].recent_denials | map("\(.what) \(.count)") | join(" ")')"
    conforms "$runtime: to machines it is what the schema says" status "$(status --json)"
    equal "$runtime: each with the name that podman knows it by" "$(printf '%s\n' "$held held" "$watched watched" "$quiet quiet" | sort | paste -sd ' ')" \
        "$(status --json | jq -r '.[] | "\(.container) \(.name)"' | sort | paste -sd ' ')"
    equal "$runtime: log says where nothing was denied" 'nothing denied' "$("$build/hook/jail-ai-hook" log quiet)"
    equal "$runtime: by which it is found" "$held" "$(status --json held | jq -r '.[].container')"
    bash -c 'exec -a conmon bash -s -- -c "$1" -n usurper' bash "$held" < <(sleep 20) &
    usurper=$!
    matches "$runtime: whatever name a process takes" "container 'usurper' has no jail" "$(status usurper || :)"
    kill "$usurper"
    wait "$usurper" || :
    # A jail takes its ID from whoever asks for it: here from the cgroup's name.
    other=$(dirname "$(cgroup_of held)")/$held
    mkdir "$other"
    (echo "$BASHPID" >"$other/cgroup.procs" && exec sleep 20) &
    sleeper=$!
    until grep -qx "$sleeper" "$other/cgroup.procs"; do :; done
    "$build/hook/jail-ai-hook" attach --cgroup "$other" --accept="$everything" >"$lab/attached" 2>&1 || not_ok "$runtime: attach" "$(<"$lab/attached")"
    equal "$runtime: another jail of the same ID has no name" "$(printf '%s\n' "$held held" "$held null" | sort | paste -sd ' ')" \
        "$(status --json | jq -r --arg id "$held" '.[] | select(.container == $id) | "\(.container) \(.name)"' | sort | paste -sd ' ')"
    kill "$sleeper"
    wait "$sleeper" || :
    rmdir "$other"
    matches "$runtime: people read it, too" "^${held:0:12} \(held\)  enforce.*denied 3: local 3.*$host_v4:$port/tcp \(local\), 2 times" "$(status "$held" | paste -sd ' ')"
    matches "$runtime: and Prometheus" "jail_ai_denials_total\{container=\"$held\",name=\"held\",mode=\"enforce\",reason=\"local\"\} 3" "$(status --prometheus | paste -sd ' ')"
    if command -v promtool >"$lab/said"; then
        equal "$runtime: promtool has nothing to say of it" '' "$(status --prometheus | promtool check metrics 2>&1)"
    else
        skip "$runtime: promtool has nothing to say of it" 'there is no promtool here'
    fi
    matches "$runtime: a container without a jail has none" 'has no jail on this machine' "$(status "$(podman inspect --format '{{.Id}}' free)" || :)"
    for name in free held watched quiet; do remove "$runtime" "$name"; done
    equal "$runtime: they are gone with their containers" '' "$(listed .container)"
done
cp "$build/hook/jail-ai-hook" "$lab/hook"
status=0
words=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$lab/hook" status 2>&1) || status=$?
matches 'a user gets theirs by the broker, and the reason without one' '^69 .*connect to the broker .*there is no socket: without root, this takes the broker' "$status $words"
finish
