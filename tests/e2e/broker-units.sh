#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The broker as systemd starts it, by the installed units, on Debian 12's systemd and Debian 13's: what one user's connections cost another, how long an
# answer takes, and that the process comes and goes with the requests. $machine_trees, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"
# shellcheck source=machine.sh
. "$lib/machine.sh"

good_id=1700 bad_id=1800
held=5000 # ms, for which the broker waits for a silent connection: who waits for other people's needs no less

# attack_of ID CASE [ARGUMENT]...: as that user
attack_of() {
    local id=$1
    shift
    in_session "$id" setpriv --reuid "$id" --regid "$id" --clear-groups /usr/bin/python3 /usr/bin/attack /run/jail-ai-hook.sock \
        "/sys/fs/cgroup/user.slice/user-$id.slice/user@$id.service" "$@" 2>&1
}

# service PROPERTY...
service() {
    local property
    for property; do inside systemctl show --property "$property" --value jail-ai-hook.service; done | paste -sd ' '
}

# await_state STATE
await_state() {
    local attempt
    for ((attempt = 0; attempt < 3000; attempt++)); do
        [ "$(service ActiveState)" != "$1" ] || return 0
        sleep 0.02
    done
    return 1
}

# quick NAME NUMBER: so many requests of the good user's are served, the quickest before a silent connection would have ended
quick() {
    local name=$1 number=$2 said best
    said=$(attack_of $good_id timed "$number")
    equal "$name: every request is served" "$number" "$(grep -c '^yes ' <<<"$said")"
    best=$(awk '{ print $2 }' <<<"$said" | sort -n | head -n 1)
    if [ "${best:-$held}" -lt $held ]; then
        ok "$name: in $(awk '{ print $2 }' <<<"$said" | paste -sd ' ') ms"
    else
        not_ok "$name: the quickest takes less than $held ms" "$(paste -sd '|' <<<"$said")"
    fi
}

# besieged NAME UID:THREADS...: as quick, while the bad user's processes of those uids connect and wait, again and again
besieged() {
    local name=$1 siege stop line=''
    shift
    exec {stop}<>"$lab/stop"
    exec {siege}< <(in_session $bad_id /usr/bin/python3 /usr/bin/attack /run/jail-ai-hook.sock - siege "$@" <"$lab/stop" 2>&1 {stop}>&-)
    IFS= read -r -t 60 -u "$siege" line || :
    equal "$name: they have begun" held "$line"
    quick "$name" 8
    # The one that accepts; five requests, each of which may have a prober and that a child.
    if [ "$(wc -l <"$machine_cgroup/system.slice/jail-ai-hook.service/cgroup.procs")" -le 16 ]; then
        ok "$name: four of one person are served at a time"
    else
        not_ok "$name: four of one person are served at a time" "$(<"$machine_cgroup/system.slice/jail-ai-hook.service/cgroup.procs")"
    fi
    exec {stop}>&-
    equal "$name: they have gone" ended "$(cat <&"$siege")"
    exec {siege}<&-
}

# many COUNT THREADS: of so many subordinate ids of the bad user's a process each, with so many threads
many() {
    local number
    for ((number = 0; number < $1; number++)); do echo "$((bad_id * 1000 + number)):$2"; done
}

judge() {
    local name version
    version=$(inside systemctl --version | awk 'NR == 1 { print $2 }')
    name="systemd $version"
    machine_user good $good_id
    machine_user bad $bad_id
    cp "$lib/attack" "$machine/usr/bin/attack"
    inside systemctl start jail-ai-hook.socket
    equal "$name: nothing runs before somebody asks" inactive "$(service ActiveState)"
    quick "$name, the first" 1
    equal "$name: the process that accepts stays" 'active running' "$(service ActiveState SubState)"
    equal "$name: and has no capability in effect" 0000000000000000 "$(inside cat "/proc/$(service MainPID)/status" | awk '$1 == "CapEff:" { print $2 }')"
    quick "$name, idle" 5
    besieged "$name, 1,000 connections of one uid" $bad_id:250 $bad_id:250 $bad_id:250 $bad_id:250
    # shellcheck disable=SC2046 # words
    besieged "$name, 1,000 of 20 subordinate ids" $(many 20 50)
    # shellcheck disable=SC2046
    besieged "$name, 6 each of 9 subordinate ids" $(many 9 6)
    matches "$name: a user beyond the share is told so" "^no 75 busy: 4 requests of uid $bad_id are being served" \
        "$(attack_of $bad_id half-open | head -n 1)"

    inside systemctl kill --kill-who=main --signal=KILL jail-ai-hook.service
    quick "$name, once that process was killed" 1
    mkdir -p "$machine/run/systemd/system/jail-ai-hook.service.d"
    printf '[Service]\nExecStart=\nExecStart=/usr/libexec/oci/hooks.d/jail-ai-hook broker --idle=1\n' >"$machine/run/systemd/system/jail-ai-hook.service.d/idle.conf"
    inside systemctl daemon-reload
    inside systemctl restart jail-ai-hook.service
    quick "$name, with --idle=1" 1
    equal "$name: without requests it ends by itself" 'yes success' "$(await_state inactive && echo yes) $(service Result)"
    quick "$name, and comes back" 1
    inside systemctl stop jail-ai-hook.socket 2>"$lab/stopped"
    equal "$name: the process goes with the socket" inactive "$(service ActiveState)"
    inside systemctl start jail-ai-hook.socket
    quick "$name, once the socket was stopped" 1
    inside systemctl restart jail-ai-hook.socket
    quick "$name, once the socket was restarted" 1
    inside mkdir -p /var/log/journal # as Debian has it: users see their own entries there
    inside journalctl --flush
    equal "$name: a container is rejected" 65 "$(in_session $bad_id setpriv --reuid $bad_id --regid $bad_id --clear-groups \
        /usr/bin/jail-ai-hook createRuntime <<<'{}' 2>"$lab/rejected"; echo $?)"
    inside journalctl --sync
    matches "$name: a person sees why a container was rejected" "^[0-9TZ:-]* \(uid $bad_id\) state of the container: [^|]*\$" \
        "$(in_session $bad_id setpriv --reuid $bad_id --regid $bad_id --clear-groups /usr/bin/jail-ai-hook why --last=1 2>&1 | paste -sd '|')"
    equal "$name: and root the same, from the journal" "$bad_id" "$(inside jail-ai-hook why --json | jq --slurp '.[-1].uid')"
    equal "$name: nothing has failed" '' "$(inside systemctl list-units --state failed --plain --no-legend)"
}

rm -f "$lab/stop"
mkfifo "$lab/stop"
on_machines "the broker by another Debian's systemd"
finish
