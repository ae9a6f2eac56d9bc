#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What a container was denied is known when it has gone, also of "podman run --rm": watch writes it to the journal, with fields and the container's name, or
# to another syslog; and log finds it in either.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=documents.sh
. "$lib/documents.sh"
# shellcheck source=schema.sh
. "$lib/schema.sh"

hook=$build/hook/jail-ai-hook
# shellcheck disable=SC2317 # called by the blocks
jail-ai-hook() { "$hook" "$@"; }
# shellcheck disable=SC2317
journalctl() { command journalctl --quiet "$@"; }
mkdir -p "$lab/work"
mount -t tmpfs log /var/log # the view's own
watch='' journald='' times=''

# until_says PATTERN COMMAND...: for a minute
until_says() {
    local pattern=$1 end=$((SECONDS + 60))
    shift
    while ((SECONDS < end)); do
        if "$@" 2>/dev/null | grep -qE "$pattern"; then return 0; fi
    done
    return 1
}

end_of() {
    kill "$1"
    wait "$1" || :
}

# knock RUNTIME NAME ADDRESS: from inside of the container
knock() { engine "$1" exec "$2" /probe tcp "$3" "$port" | awk '{ print $NF }'; }

# denied RUNTIME NAME: a container that is denied three addresses of the host while watch looks, and goes; how often altogether, is in $times
denied() {
    local runtime=$1 name=$2 address end=$((SECONDS + 60))
    "$hook" watch --log >"$lab/watched" 2>"$lab/watch.err" &
    watch=$!
    start "$name" "$runtime" --network dual "${jailed[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$internet_v4" "$port" ||
        not_ok "$runtime: $name starts" "$(why "$name")"
    for address in "$bridge_v4" "$dual_v4" "$dual_v6"; do
        until grep -qE "container [0-9a-f]{12} \($name\): denied \[?$address\]?:$port/tcp" "$lab/watched" || ((SECONDS > end)); do
            equal "$runtime: $address is denied" EPERM "$(knock "$runtime" "$name" "$address")"
        done
    done
    times=$("$hook" status --json "$name" | jq '.[].denials.local')
    remove "$runtime" "$name"
    until_says "\($name\): ended: denied $times: local $times; " cat "$lab/watched" || not_ok "$runtime: watch sums up" "$(<"$lab/watched")"
    end_of $watch
}

# brief RUNTIME: containers that end soon after the denial, as of "podman run --rm", until watch, which looks ten times a second, has seen the jail of one
brief() {
    local runtime=$1 end=$((SECONDS + 60))
    "$hook" watch --log >"$lab/watched" 2>"$lab/watch.err" &
    watch=$!
    until grep -qE "container [0-9a-f]{12} \(brief\): ended: denied 1: local 1; $host_v4:$port/tcp" "$lab/watched" || ((SECONDS > end)); do
        # shellcheck disable=SC2016 # for the container's shell
        equal "$runtime: a container that ends soon is denied" EPERM \
            "$(engine "$runtime" run --rm --name brief "${jailed[@]}" --rootfs "$lab/rootfs" \
                /bin/sh -c '/probe tcp "$0" "$1"; exec /bin/busybox usleep 300000' "$host_v4" "$port" 2>"$lab/brief.err" | awk '{ print $NF }')"
    done
    matches "$runtime: log finds it by its name" '^[0-9]{4}-.*Z [0-9a-f]{12} \(brief\): denied 1: local 1; ' "$("$hook" log --ended brief)"
    equal "$runtime: watch knows the name of each of them" '' "$(grep -F ' denied' "$lab/watched" | grep -vE 'container [0-9a-f]{12} \(brief\): ')"
    end_of $watch
}

# entries MATCH...: of the journal, an object a line
entries() { journalctl --output=json "$@"; }

check_journal() {
    local runtime=$1 said
    denied "$runtime" agent
    document fields
    said=$(type_in "${text//10.88.0.1/$dual_v4}" | jq -c 'select(.JAIL_AI_NAME == "agent")')
    matches "$runtime: a denial is an entry of its own, by its fields" "^enforce agent local $dual_v4 $port tcp probe [1-9][0-9]* 5 jail-ai-hook\$" \
        "$(jq -r '"\(.JAIL_AI_MODE) \(.JAIL_AI_NAME) \(.JAIL_AI_REASON) \(.JAIL_AI_DESTINATION) \(.JAIL_AI_PORT) \(.JAIL_AI_PROTOCOL) \(.JAIL_AI_COMM) \(.JAIL_AI_COUNT) \(.PRIORITY) \(.SYSLOG_IDENTIFIER)"' <<<"$said" | tail -n 1)"
    matches "$runtime: with the whole ID and the process" '^[0-9a-f]{64} [0-9]+$' "$(jq -r '"\(.JAIL_AI_CONTAINER) \(.JAIL_AI_PID)"' <<<"$said" | tail -n 1)"
    equal "$runtime: the end is an entry with all destinations" "agent local $times $(printf '%s\n' "$bridge_v4" "$dual_v4" "$dual_v6" | LC_ALL=C sort | paste -sd ' ')" \
        "$(entries JAIL_AI_EVENT=ended JAIL_AI_NAME=agent | tail -n 1 | jq -r '"\(.JAIL_AI_NAME) \(.JAIL_AI_REASON) \(.JAIL_AI_COUNT) \(.JAIL_AI_DESTINATION | sort | join(" "))"')"
    equal "$runtime: no entry is there twice" "$(grep -c '(agent): denied ' "$lab/watched")" "$(entries JAIL_AI_EVENT=denied JAIL_AI_NAME=agent | jq -s 'length')"
    document ended
    matches "$runtime: log finds it" "^[0-9]{4}-.*Z [0-9a-f]{12} \(agent\): denied $times: local $times; .*\[$dual_v6\]:$port/tcp \(local\), [0-9]+ times?" "$(type_in "$text" | tail -n 1)"
    conforms "$runtime: for machines, as the schema says" log-ended "$("$hook" log --ended --json agent)"
    equal "$runtime: another container isn't there" 66 "$("$hook" log --ended other >"$lab/said" 2>&1; echo $?)"
    # Whoever writes to the journal is not root's watch.
    setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -c 'import socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"MESSAGE=container 0123456789ab (forged): ended: denied 1\nSYSLOG_IDENTIFIER=jail-ai-hook\nJAIL_AI_EVENT=ended\n", "/run/systemd/journal/socket")'
    until_says forged journalctl --output=cat JAIL_AI_EVENT=ended || not_ok "$runtime: the journal takes a user's entry"
    equal "$runtime: an entry of a user's is none of log's" 66 "$("$hook" log --ended forged >"$lab/said" 2>&1; echo $?)"
}

if [ -x /lib/systemd/systemd-journald ] && command -v journalctl >"$lab/said"; then
    for runtime in crun runc; do
        mkdir -p /run/systemd /run/log
        mount -t tmpfs systemd /run/systemd
        mount -t tmpfs log /run/log
        mkdir -p /run/systemd/journal
        rm -f /dev/log
        ln -s /run/systemd/journal/dev-log /dev/log
        /lib/systemd/systemd-journald 2>"$lab/journald.err" &
        journald=$!
        until [ -S /run/systemd/journal/socket ]; do kill -0 $journald; done
        check_journal "$runtime"
        brief "$runtime"
        end_of $journald
        umount /run/log /run/systemd
        rm -f /dev/log
    done
else
    skip 'what watch writes to the journal' 'there is no systemd-journald here'
fi

# Another daemon's syslog: text, as rsyslog writes what /dev/log got.
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
denied crun plain
logged plain | sed 's/^<[0-9]*>\(... .. ..:..:..\) /\1 host /' >/var/log/syslog
matches 'without the journal, log finds it in the file' '^... .. ..:..:.. [0-9a-f]{12} \(plain\): denied '"$times: local $times; " "$("$hook" log --ended plain)"
finish
