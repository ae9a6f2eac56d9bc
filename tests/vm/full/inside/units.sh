#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The units of watch and verify as an administrator enables them: what they do, they do within their sandboxes, for root's containers and for an
# ordinary user's; and they say what the same verb says at a shell.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

hook=/usr/libexec/oci/hooks.d/jail-ai-hook
watch=jail-ai-hook-watch.service verify=jail-ai-hook-verify.service timer=jail-ai-hook-verify.timer
edits=/etc/systemd/system
slow=30000 # milliseconds
soon=60    # seconds, of the machine's own clock
new_v4=192.0.2.21 later_v4=192.0.2.22
no_hooks=$lab/no-hooks
files=/home/$user/lab/rootfs
declare -A owner=() id=()

mkdir -p "$no_hooks" "${files%/*}"
cp -a "$lab/rootfs" "$files"
chown -R "$user:$user" "${files%/*}"

# as_root COMMAND..., as_user COMMAND...
# shellcheck disable=SC2317 # called by name
as_root() { "$@"; }
# shellcheck disable=SC2317
as_user() { login "$@"; }

# up OWNER NAME RUNTIME OPTION... [-- COMMAND...]: with the hooks in $hooks, if that is set
up() {
    local name=$2 runtime=$3 options=() engine=("as_$1" podman --log-level error)
    owner[$name]=$1
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    [ $# -gt 1 ] || set -- -- /bin/busybox sleep 100000
    shift
    id[$name]=$("${engine[@]}" --runtime "$runtime" ${hooks:+--hooks-dir "$hooks"} run --detach --name "$name" "${options[@]}" \
        --rootfs "$files" "$@") || not_ok "$name: starts" "$(journalctl --quiet --boot --lines 10 --output cat)"
    "${engine[@]}" inspect --format '{{.State.Pid}}' "$name" >"$lab/$name.pid"
}

down() {
    local name
    for name; do "as_${owner[$name]}" podman --log-level error rm --force --time 0 "$name" >"$lab/removed" 2>&1; done
}

# reach ADDRESS NAME...: what becomes of an attempt from inside of each; podman exec would do the same, slowly
reach() {
    local address=$1 name words=()
    shift
    # shellcheck disable=SC2016 # sh expands it
    for name; do
        words+=("$(sh -c 'echo $$ >"$1/cgroup.procs" && exec nsenter --target "$2" --mount --net -- /probe tcp "$3" "$4" "$5"' reach \
            "$(cgroup_of "$name")" "$(<"$lab/$name.pid")" "$address" "$port" "$slow" 2>&1)")
    done
    echo "${words[*]}"
}

# mark: what lines() and await() give is from here on
mark() {
    journalctl --sync
    date +@%s.%6N >"$lab/mark"
}

# lines: what the service of verify has said
lines() {
    journalctl --sync
    journalctl --quiet --since="$(<"$lab/mark")" --output cat --identifier jail-ai-hook _TRANSPORT=stdout
}

# await UNIT NUMBER REGEX: that many lines of the unit, and of systemd about it; fewer where they don't come soon
await() {
    local following
    exec {following}< <(exec timeout "$soon" journalctl --quiet --follow --no-tail --since="$(<"$lab/mark")" --output cat --unit "$1")
    grep -E --max-count "$2" "$3" <&"$following" || :
    kill $! 2>/dev/null || :
    exec {following}<&-
}

# brought ADDRESS NUMBER: of so many jails that watch has brought up to date with it, the containers
brought() { await "$watch" "$2" "brought up to date: (.*; )?\+ ${1//./\\.}: denied \(local\)" | sed -n 's/^container \([0-9a-f]*\): .*/\1/p' | sort; }

# state UNIT: whether it runs, how it went, and how often systemd had to start it again
state() { systemctl show --property ActiveState,SubState,Result,NRestarts "$1" | sort | cut -d = -f 2 | paste -sd ' '; }

# edit UNIT: as "systemctl edit" does, by standard input
edit() {
    mkdir -p "$edits/$1.d"
    cat >"$edits/$1.d/override.conf"
    systemctl daemon-reload
}

revert() {
    rm -r "$edits/$1.d"
    systemctl daemon-reload
}

# verified: what the service said goes to $said, and "STATUS STATE EXIT-STATUS" to $outcome: of systemctl start, of the service, of its process
verified() {
    local status=0
    mark
    systemctl start "$verify" 2>"$lab/started" || status=$?
    said=$(lines)
    outcome="$status $(systemctl is-failed "$verify" || :) $(systemctl show --property ExecMainStatus --value "$verify")"
}

# well NAME TEXT
well() {
    verified
    equal "$1: the service of verify succeeds" "0 inactive 0 $2" "$outcome $said"
}

# found NAME KIND...: the finding is there, and the service fails for that and tells it as people are told
found() {
    local name=$1 words
    shift
    equal "$name: it is found" "$*" "$("$hook" verify --json | jq -r '[.findings[].kind] | unique | join(" ")')"
    words=$("$hook" verify 2>&1) || :
    verified
    equal "$name: the service of verify fails and says so" "1 failed 1 $words" "$outcome $said"
}

# refused_calls: system calls of the hook's that a seccomp filter has refused, as the kernel reports them
refused_calls() {
    journalctl --sync
    journalctl --quiet --boot --output cat --grep "(SECCOMP|type=1326) .*exe=\"$hook\"" || :
}

serve_new() {
    local address
    ip link add extra type dummy
    ip link set extra up
    for address in $new_v4 $later_v4; do ip address add "$address/32" dev extra; done
    serve - $new_v4 $later_v4
    ip address flush dev extra
}

jailed_names=(held kept mine own) free_names=(free users-free)
all_blocked='EPERM EPERM EPERM EPERM' all_reached='reached reached reached reached' both_reached='reached reached'

equal 'the units are installed and not enabled' 'disabled|static|disabled' "$(systemctl is-enabled "$watch" "$verify" "$timer" 2>&1 | paste -sd '|')"
systemctl enable --now jail-ai-hook.socket 2>"$lab/enabled"
serve_new
well 'no container' 'containers that must be jailed: 0; jailed: 0'
up root held crun "${jailed[@]}"
up root kept runc "${jailed[@]}"
up user mine crun "${jailed[@]}"
up user own runc "${jailed[@]}"
up root free crun
up user users-free runc
well 'jailed containers, and such as do not ask' 'containers that must be jailed: 4; jailed: 4'

jailed_ids=$(for name in "${jailed_names[@]}"; do echo "${id[$name]:0:12}"; done | sort)

# Without watch.
ip address add $new_v4/32 dev extra
equal 'without watch no jail knows a new address' "$all_reached" "$(reach $new_v4 "${jailed_names[@]}")"
found 'a new address' stale

# With it.
mark
systemctl enable --now jail-ai-hook-watch.service 2>>"$lab/enabled"
equal 'watch is enabled' enabled "$(systemctl is-enabled "$watch")"
equal 'watch brings up to date what it finds' "$jailed_ids" "$(brought $new_v4 4)"
equal 'which blocks it, in those containers alone' "$all_blocked $both_reached" "$(reach $new_v4 "${jailed_names[@]}" "${free_names[@]}")"
mark
ip address add $later_v4/32 dev extra
equal 'another address: watch tells of each jail' "$jailed_ids" "$(brought $later_v4 4)"
equal 'another address: blocked, in those containers alone' "$all_blocked $both_reached" "$(reach $later_v4 "${jailed_names[@]}" "${free_names[@]}")"
equal 'the internet is reached' "$all_reached" "$(reach $internet_v4 "${jailed_names[@]}")"
equal 'watch runs, and has not had to be started again' 'active 0 success running' "$(state "$watch")"
well 'under watch' 'containers that must be jailed: 4; jailed: 4'
systemctl stop "$watch"
equal 'watch stops when it is asked to' 'inactive 0 success dead' "$(state "$watch")"
equal 'the block stays when watch has stopped' "$all_blocked" "$(reach $later_v4 "${jailed_names[@]}")"
ip address flush dev extra
"$hook" refresh >"$lab/refreshed"

# With its flag.
edit "$watch" <<DROP_IN
[Service]
ExecStart=
ExecStart=$hook watch --log
DROP_IN
ip address add $new_v4/32 dev extra
mark
systemctl start "$watch"
equal 'with --log: watch brings up to date what it finds' "$jailed_ids" "$(brought $new_v4 4)"
equal 'with --log: refused' 'EPERM EPERM' "$(reach $host_second_v4 held mine)"
for name in held mine; do
    matches "with --log: the journal has it of $name" "^container ${id[$name]:0:12}( \($name\))?: denied $host_second_v4:$port/tcp \(local\) to 'probe', process [0-9]+\$" \
        "$(await "$watch" 1 "${id[$name]:0:12}[^:]*: denied")"
done
for name in root user; do
    up $name "$name-late" crun "${jailed[@]}" -- /probe listen tcp 127.0.0.1 $own_port "then" tcp $metadata_v4 $port $slow
    matches "with --log: also of a jail of $name's that starts later" "^container ${id[$name-late]:0:12}( \($name-late\))?: denied $metadata_v4:$port/tcp \(metadata\) to 'probe'" \
        "$(await "$watch" 1 "${id[$name-late]:0:12}[^:]*: denied")"
done
ip address add $later_v4/32 dev extra
equal 'with --log, another address: watch tells of each jail' "$(printf '%s\n' "$jailed_ids" "${id[root-late]:0:12}" "${id[user-late]:0:12}" | sort)" "$(brought $later_v4 6)"
equal 'with --log, another address: blocked' "$all_blocked EPERM EPERM" "$(reach $later_v4 "${jailed_names[@]}" root-late user-late)"
equal 'with --log: watch runs, and has not had to be started again' 'active 0 success running' "$(state "$watch")"
down root-late user-late
systemctl disable --now "$watch" 2>>"$lab/enabled"
equal 'with --log: watch stops when it is asked to' 'inactive 0 success dead' "$(state "$watch")"
revert "$watch"

# What verify is for.
for name in root user; do
    hooks=$no_hooks up $name "$name-open" runc "${jailed[@]}"
    equal "without hooks, $name's: it reaches the host" reached "$(reach $host_second_v4 "$name-open")"
    found "without hooks, $name's" not-jailed
    matches "without hooks, $name's: the journal names it" "^${id[$name-open]:0:12} \($name-open\): not jailed( \(run by uid [0-9]+, process [0-9]+\))?: its annotations or the settings file ask for it" "$said"
    matches "without hooks, $name's: systemctl lists the service" "^$verify +loaded failed failed" "$(systemctl list-units --failed --plain --no-legend)"
    down "$name-open"
    well "without hooks, $name's: and when it has gone" 'containers that must be jailed: 4; jailed: 4'
done
equal 'systemctl lists no service as failed any more' '' "$(systemctl list-units --failed --plain --no-legend)"

# What else it finds. Programs of another jail are at hand for what somebody might attach.
program() { bpftool --json cgroup show "$(cgroup_of "$1")" | jq ".[] | select(.name == \"$2\").id"; }
up root victim crun "${jailed[@]}"
cgroup=$(cgroup_of victim)
"$inside/stranger" "$cgroup"
found "a stranger's program" overridden
bpftool cgroup detach "$cgroup" connect4 name stranger
bpftool cgroup attach "$cgroup" connect4 id "$(program held jail_connect4)" multi
found "another jail's program" maps-not-shared program-twice
bpftool cgroup detach "$cgroup" connect4 id "$(program held jail_connect4)"
bpftool cgroup detach "$cgroup" egress id "$(program victim jail_egress)"
found 'a program that has gone' program-missing
bpftool cgroup attach "$cgroup" egress id "$(program held jail_egress)" override
found "another jail's program, attached so that others may replace it" attach-flags maps-not-shared
down victim
hooks=$no_hooks up root victim crun "${jailed[@]}"
"$hook" attach --pid="$(<"$lab/victim.pid")" --block-host=audit >"$lab/attached" 2>&1
found 'a jail that only watches' other-mode
down victim
for place in "/run/user/$(id -u "$user")" "/tmp/podman-run-$(id -u "$user")"; do
    login mkdir -p "$place/crun/odd"
    login tee "$place/crun/odd/status" <<<nonsense >"$lab/written"
    verified
    matches "what a user has put into $place: the service of verify names it and succeeds" "^0 inactive 0 .*uid [0-9]+ has in '$place/crun' what is not the state" "$outcome $said"
    login rm -r "$place/crun/odd"
done
well 'and when all that has gone' 'containers that must be jailed: 4; jailed: 4'

# By the timer.
mark
systemctl enable --now jail-ai-hook-verify.timer 2>>"$lab/enabled"
equal 'the timer is enabled' enabled "$(systemctl is-enabled "$timer")"
systemctl start "$verify" # the timer may have done so, and has no next time as long as that runs
matches 'systemctl lists the timer with the time of its next run' "^[A-Z][a-z]+ [0-9-]+ .* $timer +$verify" "$(systemctl list-timers --no-legend "$timer")"
edit "$timer" <<DROP_IN
[Timer]
OnBootSec=
OnBootSec=1
OnUnitActiveSec=5
RandomizedDelaySec=0
AccuracySec=1
DROP_IN
systemctl restart "$timer"
equal 'the timer runs the service, again and again' "$(printf '%s\n' {,,}'containers that must be jailed: 4; jailed: 4')" "$(await "$verify" 3 'must be jailed')"
mark
hooks=$no_hooks up root late crun "${jailed[@]}"
matches 'the timer: the service fails where something is found' "^$verify: Failed with result 'exit-code'" "$(await "$verify" 1 'Failed with result')"
down late
mark
equal 'the timer: and is well again by itself' 'containers that must be jailed: 4; jailed: 4' "$(await "$verify" 1 'containers that must be jailed: 4; jailed: 4')"
systemctl disable --now "$timer" 2>>"$lab/enabled"
revert "$timer"

equal 'no system call of the hook has been refused' '' "$(refused_calls)"

down "${jailed_names[@]}" "${free_names[@]}"
ip link del extra
systemctl disable --now jail-ai-hook.socket 2>>"$lab/enabled"
rm -r "${files%/*}"
finish
