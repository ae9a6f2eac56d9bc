#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What an ordinary user can do with the broker's socket: have their own containers jailed, and nothing else. For each attempt the answer, what is attached
# anywhere, and the memory and time that the broker took.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

version="podman $(podman --version | awk '{ print $3 }')"
most_memory=65536 # KiB, half of MemoryMax= of the service
most_time=7500    # ms
all='jail_connect4 jail_connect6 jail_create jail_egress jail_ingress jail_sendmsg4 jail_sendmsg6'
not_for='no 77 process [0-9]+ is not for uid 1600 to jail:'

# The part of the broker that serves one request, measured: see inetd.
measured_up() {
    broker_down
    : >"$lab/record"
    ready "$lib/inetd" "$broker_socket" "$lab/record" "$lab/broker.pid" "$build/hook/jail-ai-hook" broker "$@" 2>"$lab/broker.err"
    broker_pid=$(<"$lab/broker.pid")
}

# attack CASE [ARGUMENT]...: as the user mallory
attack() {
    as mallory "$lib/attack" "$broker_socket" /sys/fs/cgroup/user-1600 "$@" 2>&1
}

# Their processes end with the script that started them only where it waits for them; their cgroups never.
clean_up() {
    local cgroup
    for cgroup in /sys/fs/cgroup/user-1600/*/ /sys/fs/cgroup/rooms/; do
        [ ! -d "$cgroup" ] || remove_cgroups "$cgroup"
    done
    delegate /sys/fs/cgroup/user-1600/session 1600
}

# costs NAME: what the brokers since the last time have taken. Each has exited by itself.
costs() {
    local memory time status runs
    while pgrep -P "$broker_pid" >/dev/null; do sleep 0.01; done
    read -r runs status memory time < <(awk '{ n++; if ($1 != 0) s = $1; if ($2 > m) m = $2; if ($3 > t) t = $3 } END { print n + 0, s + 0, m + 0, t + 0 }' "$lab/record")
    : >"$lab/record"
    if [ "$runs" -gt 0 ] && [ "$status" -eq 0 ] && [ "$memory" -le "$most_memory" ] && [ "$time" -le "$most_time" ]; then
        ok "$1: $runs broker(s) took at most $memory KiB and $time ms"
    else
        not_ok "$1: brokers stay within $most_memory KiB and $most_time ms" "$runs of them, status $status, $memory KiB, $time ms: $(<"$lab/broker.err")"
    fi
}

# nothing_by CASE ANSWER [ARGUMENT]...: ANSWER is a regular expression for all lines of it, joined by "|"
nothing_by() {
    local case=$1 expected=$2 said
    shift 2
    said=$(attack "$case" "$@" | paste -sd '|')
    matches "$case: the reason is given" "^$expected\$" "$said"
    costs "$case" # waits for them
    equal "$case: nothing is attached, wherever" '' "$(attached_anywhere)"
    clean_up
}

# jail_by CASE ANSWER [ARGUMENT]...: in the end exactly the cgroup on the answer's last line is jailed
jail_by() {
    local case=$1 expected=$2 said cgroup
    shift 2
    said=$(attack "$case" "$@" | paste -sd '|')
    cgroup=${said##*|}
    matches "$case: the answer" "^$expected\$" "${said%|*}"
    equal "$case: one jail there is, on that cgroup" "$all $all" "$(programs "$cgroup" | grep -v '^jail_abs_' | paste -sd ' ') $(attached_anywhere | paste -sd ' ')"
    costs "$case"
    clean_up
}

rootless_up
user_up mallory 1600
measured_up
# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    clean_up
    user_down mallory 1600 || not_ok "${0##*/}: mallory's processes and cgroups go"
    rootless_down "$status"
}
trap end EXIT

engine runc run --detach --name victim --pidfile "$lab/victim.pid" --rootfs "$rootfs" /bin/busybox sleep 1000 >"$lab/victim.id"
victim=$(<"$lab/victim.pid")
root_container=$(podman inspect --format '{{.State.Pid}}' peer)
user_ns="$not_for its user namespace is another user.s"
machine="$not_for it is in no user namespace but the machine.s"

nothing_by other-process "$user_ns" "$victim"
nothing_by other-process "$machine" 1
nothing_by other-process "$machine" "$root_container"
nothing_by own-shell "$machine"
nothing_by itself "$not_for it asks for itself\\|"
nothing_by dead 'no 66 the process behind the pidfd has ended.*|no 66 process [0-9]+ has ended'
nothing_by dies-between 'no 66 .*(has ended|No such process).*'
nothing_by moves-between 'no 78 cgroup .* is not where process [0-9]+ is.*|no 78 cgroup .*'
nothing_by joined-between 'no 78 cgroup .* holds process [0-9]+, not only the container.s [0-9]+.*'
nothing_by swapped-between 'no [0-9]+ .*'
nothing_by shared-cgroup "no 78 cgroup '/user-1600/session' holds process [0-9]+, not only the container's.*"
nothing_by wrong-descriptors '([a-z]+: no 65 the descriptor is not a pidfd\|?){20}'
nothing_by no-descriptor 'no 76 no descriptor came with the request'
nothing_by many-descriptors 'no 76 more than one descriptor came with the request\|no 76 more than one descriptor came with the request'
nothing_by not-a-request '(no 76 (this is not a request of this version.s hook.*|the request ends too soon)\|?){5}'
nothing_by huge 'no 65 the state has 1073741824 bytes, the broker takes 524288\|no 65 config.json: not JSON.*'
no_array="no 65 config.json: 'mounts' is a number, not an array"
nothing_by heaviest "$no_array\\|$no_array\\|no 65 config.json: duplicate key ''\\|$no_array"
nothing_by nobody-waits-for-it gone

jail_by number-of-another 'yes jailed: denies .*' "$victim"
jail_by nested 'yes jailed: denies .*'
jail_by descriptors-behind 'yes jailed: denies .*'
jail_by twice "yes jailed: denies .*\\|no 78 cgroup '/user-1600/[^']*' is jailed already, and no second request can change that" host:4000
jail_by both-at-once '[01]'
jail_by from-jail 'no 77 process [0-9]+ asks from inside of a jail, where everything is jailed already\|yes jailed: .*'


# A process of mallory's that root has put into a cgroup of its own.
mkdir /sys/fs/cgroup/rooms
mkfifo "$lab/moved"
exec {moved}<>"$lab/moved"
exec {said}< <(attack foreign-cgroup <&"$moved")
read -r -u "$said" pid
echo "$pid" >/sys/fs/cgroup/rooms/cgroup.procs
echo moved >&"$moved"
matches 'foreign-cgroup: the reason is given' "^no 77 neither the container's cgroup nor one above it belongs to uid 1600" "$(cat <&"$said")"
exec {said}<&- {moved}>&-
rm "$lab/moved"
equal 'foreign-cgroup: nothing is attached, wherever' '' "$(attached_anywhere)"
costs foreign-cgroup
clean_up

# A bundle whose files are hostile. Whoever asks reads them, and not the broker: it takes bytes, and of what they name it opens nothing.
secret='nameserver 10.9.8.7 host.containers.internal' # as every one of the files could be
install -m 600 /dev/stdin "$lab/secret" <<<"$secret"
mknod -m 666 "$lab/zero" c 1 5

# hostile KIND FILE
hostile() {
    case $1 in
        unreadable) ln -s "$lab/secret" "$2" ;;
        fifo) mkfifo "$2" ;;
        endless) ln -s "$lab/zero" "$2" ;;
        huge) truncate -s 1G "$2" ;;
    esac
}

# bundle_of KIND FILE...: $bundle has all that a bundle has, and those are of that kind
bundle_of() {
    local kind=$1 file
    shift
    rm -rf "$bundle"
    mkdir "$bundle"
    cat >"$bundle/config.json" <<<"{\"linux\":{},\"mounts\":[{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"$bundle/hosts\"},\
        {\"destination\":\"/etc/resolv.conf\",\"type\":\"bind\",\"source\":\"$bundle/resolv.conf\"}]}"
    echo 127.0.0.1 localhost >"$bundle/hosts"
    echo nameserver 198.51.100.1 >"$bundle/resolv.conf"
    for file; do
        rm "$bundle/$file"
        hostile "$kind" "$bundle/$file"
    done
    chown -hR 1600:1600 "$bundle"
}

bundle=/run/user/1600/bundle
declare -A why=([unreadable]='77 .*open .*: Permission denied' [fifo]='65 .*is not a regular file' [endless]='65 .*is not a regular file'
    [huge]='65 .*: (a line has )?more than [0-9]+ bytes.*')
logged bundles >"$lab/logged"
for kind in unreadable fifo endless huge; do
    bundle_of "$kind" config.json hosts resolv.conf
    exec {opens}< <(exec "$lib/watch-opens" "$bundle" "$lab/secret" "$lab/zero")
    watcher=$!
    read -r -t 60 -u "$opens" _
    jail_by names-files 'yes jailed: denies .*' "$bundle"
    : <"$lab/secret" # so the watch would have told
    read -r -t 60 -u "$opens" line
    equal "names-files, $kind: the broker has opened none of them" "$lab/secret" "$line"
    kill "$watcher"
    exec {opens}<&-
    for file in config.json hosts resolv.conf; do
        bundle_of "$kind" "$file"
        said=$(attack by-hook "$build/hook/jail-ai-hook" "$bundle")
        read -r status memory time <<<"$said"
        matches "by-hook, $file is $kind: it says why not" "^${why[$kind]}" "$status $(sed -n 2p <<<"$said")"
        if [ "$memory" -le "$most_memory" ] && [ "$time" -le "$most_time" ]; then
            ok "by-hook, $file is $kind: it took $memory KiB and $time ms"
        else
            not_ok "by-hook, $file is $kind: it stays within $most_memory KiB and $most_time ms" "$memory KiB, $time ms"
        fi
        equal "by-hook, $file is $kind: no broker was asked, nothing is attached" '' "$(<"$lab/record")$(attached_anywhere)"
        equal "by-hook, $file is $kind: nothing of what is in the file is told" '' "$(grep -F "${secret:0:20}" <<<"$said$(logged "$file $kind")$(<"$lab/broker.err")")"
        clean_up
    done
done
bundle_of none
said=$(attack by-hook "$build/hook/jail-ai-hook" "$bundle")
matches 'by-hook, harmless files: the container is jailed' '^0 .*' "$said"
equal 'by-hook, harmless files: on its cgroup' "$all" "$(programs "$(tail -n 1 <<<"$said")" | grep -v '^jail_abs_' | paste -sd ' ')"
costs 'by-hook, harmless files'
clean_up

# Slow ones, and many at once: another's container starts all the same.
broker_down
# shellcheck disable=SC2119 # without flags
broker_up
matches 'heaviest: the same within the limits of the unit' "^$no_array\\|$no_array\\|no 65 config.json: duplicate key ''\\|$no_array\$" \
    "$(attack heaviest | paste -sd '|')"
clean_up
equal 'the process that accepts has no capability in effect' 0000000000000000 "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$broker_pid/status")"
for case in half-open 'flood 1000'; do
    read -ra words <<<"$case"
    exec {held}< <(attack "${words[@]}")
    while read -r -u "$held" line && [ "$line" != held ]; do matches "$case: one request more than are served at once is told so" '^no 75 busy: 4 requests of uid 1600 are being served' "$line"; done
    begin=${EPOCHREALTIME/./}
    equal "$case: meanwhile, another user's container is jailed" 'EPERM reached' "$(engine runc run --rm "${jailed[@]}" --rootfs "$rootfs" \
        /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" 2>&1 | awk '{ print $NF }' | paste -sd ' ')"
    ok "$case: that took $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
    said=$(cat <&"$held" | paste -sd '|')
    exec {held}<&-
    case $case in
        half-open) matches "$case: all of them end" '^((no answer|no 7[0-9] .*)\|?){4}$' "$said" ;;
        *) matches "$case: all of them end, most at once" '^9[0-9][0-9] busy, 1000 ended$' "$said" ;;
    esac
    equal "$case: nothing is attached, wherever" '' "$(attached_anywhere)"
    clean_up
done

# Again and again, by as many of one person's uids.
mkfifo "$lab/stop"
exec {stop}<>"$lab/stop"
exec {held}< <("$lib/attack" "$broker_socket" - siege 16000{0..1}{0..9}:50 <"$lab/stop" 2>&1 {stop}>&-)
IFS= read -r -t 60 -u "$held" line || :
equal 'siege: they have begun' held "$line"
for ((number = 0; number < 3; number++)); do
    begin=${EPOCHREALTIME/./}
    equal "siege: another user's container is jailed" 'EPERM reached' "$(engine runc run --rm "${jailed[@]}" --rootfs "$rootfs" \
        /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" 2>&1 | awk '{ print $NF }' | paste -sd ' ')"
    ok "siege: that took $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
done
if [ "$(pgrep -c -P "$broker_pid")" -le 5 ]; then
    ok 'siege: four of one person are served at a time'
else
    not_ok 'siege: four of one person are served at a time' "$(pgrep -a -P "$broker_pid")"
fi
exec {stop}>&-
equal 'siege: they have gone' ended "$(cat <&"$held")"
exec {held}<&-
rm "$lab/stop"

broker_down
broker_idle=1 broker_up
while kill -0 "$broker_pid" 2>/dev/null; do sleep 0.02; done
equal 'without requests it ends by itself, and in peace' '' "$(<"$lab/broker.err")"
broker_pid=

measured_up --max-jails=2
equal 'many-jails: a user has as many as the unit says' 'yes|yes|no 69 uid 1600 has 2 jails, as many as a user may have here (--max-jails)' \
    "$(attack many-jails 3 | paste -sd '|')"
costs many-jails
clean_up
remove runc victim
finish
