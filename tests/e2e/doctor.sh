#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What doctor says of a machine, beside what podman then does on it: a setup that it calls good jails a container, one that it calls broken
# leaves the container unprotected or doesn't start it.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=schema.sh
. "$(dirname "$0")/../lib/schema.sh"

hook=$build/hook/jail-ai-hook
socket=/run/jail-ai-hook.sock # the view's own /run
work=$lab/doctor
mkdir -p "$work/hooks"

# with_hooks DIRECTORY: podman and doctor both take hooks from there, and from nowhere else
with_hooks() {
    sed "s|^hooks_dir = .*|hooks_dir = [\"$1\"]|" /run/view/containers.conf >"$work/containers.conf"
}

json() { # FILTER
    jq "$1" "$build/hooks.d/jail-ai-hook.json" >"$work/hooks/a.json"
}

# diagnose NAME EXPECTED-STATUS [COMMAND]...
diagnose() {
    local name=$1 expected=$2 status=0
    shift 2
    CONTAINERS_CONF=$work/containers.conf "$@" "$hook" doctor >"$work/out" 2>"$work/err" || status=$?
    equal "$name: ends with $expected" "$expected" "$status"
    equal "$name: says nothing on standard error" '' "$(<"$work/err")"
}

says() { # NAME LINE-REGEX
    matches "$1: says so" "$2" "$(<"$work/out")"
}

# What becomes of a container that asks for the block: EPERM, reached, or refused.
happens() {
    CONTAINERS_CONF=$work/containers.conf podman --log-level error --runtime "$lab/bin/crun" run --rm --network host "${jailed[@]}" \
        --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port" 2>"$work/podman" >"$work/probe" || {
        echo refused
        return
    }
    awk '{ print $NF }' "$work/probe"
}

name='a good setup'
with_hooks "$build/hooks.d"
diagnose "$name" 0
says "$name" $'\nok +hooks +podman calls createRuntime'
says "$name" $'\nok +precreate +podman calls precreate'
says "$name" $'ok +hook +jail-ai-hook [0-9.]+'
says "$name" $'\nok +others +no other BPF program'
says "$name" $'\nok +cgroup +cgroup v2 at /sys/fs/cgroup\n'
says "$name" $'\nok +bpf +test load succeeded'
says "$name" $'\nok +podman +podman version [0-9.]+\n'
says "$name" $'\nok +runc +runc version '
says "$name" $'\nok +addresses .* would be denied\n'
says "$name" $'\nthe block works here'
equal "$name: the container is jailed" EPERM "$(happens)"

name='no JSON'
with_hooks "$work/hooks"
diagnose "$name" 69
says "$name" $'\nproblem +hooks +podman calls no createRuntime'
says "$name" $'\nthe block does not work here'
equal "$name: the container is not jailed" reached "$(happens)"

name='a JSON without its binary'
json '.hook.path = "/nowhere/jail-ai-hook"'
diagnose "$name" 69
says "$name" "problem +hooks +'$work/hooks/a.json' names '/nowhere/jail-ai-hook', which is missing"
equal "$name: the container is not jailed" reached "$(happens)"

name='a binary that is not executable'
cp "$hook" "$work/jail-ai-hook"
chmod 644 "$work/jail-ai-hook"
json ".hook.path = \"$work/jail-ai-hook\""
diagnose "$name" 69
says "$name" 'which is not executable: podman starts no container'
equal "$name: the container doesn't start" refused "$(happens)"

name='a pattern that matches no annotation of ours'
json '.when.annotations = {"^jail_ai\\.": ".*"}'
diagnose "$name" 69
says "$name" "problem +hooks +'$work/hooks/a.json': 'when' doesn't match jail-ai.block-host=true: podman starts such containers unprotected"
equal "$name: the container is not jailed" reached "$(happens)"

name='a pattern that matches one value alone'
json '.when.annotations = {"^jail-ai\\.block-host$": "^true$"}'
diagnose "$name" 0
says "$name" "warning +hooks +'$work/hooks/a.json': 'when' does not match misspelled annotations"
cp "$build/hooks.d/jail-ai-hook-precreate.json" "$work/hooks"
equal "$name: the container is jailed" EPERM "$(happens)"
rm "$work/hooks/jail-ai-hook-precreate.json"
asked=("${jailed[@]}")
jailed=(--annotation jail-ai.block-host=True)
equal "$name: one with a typo is not, and starts" reached "$(happens)"
jailed=("${asked[@]}")

name='a stage without its verb'
json '.hook.args = ["jail-ai-hook"]'
diagnose "$name" 69
says "$name" "problem +hooks +'$work/hooks/a.json' calls the hook with '' at the stage 'createRuntime': podman starts no container"
equal "$name: the container doesn't start" refused "$(happens)"

name='a JSON that is none'
echo '{' >"$work/hooks/a.json"
diagnose "$name" 69
says "$name" "problem +hooks +'$work/hooks/a.json': not JSON.*podman starts no container"
equal "$name: the container doesn't start" refused "$(happens)"

name='a good JSON again'
json .
cp "$build/hooks.d/jail-ai-hook-precreate.json" "$work/hooks"
diagnose "$name" 0
equal "$name: the container is jailed" EPERM "$(happens)"

name='a drop-in of the unit that the broker had'
mkdir -p '/run/systemd/system/jail-ai-hook@.service.d' # the view's own /run, too
diagnose "$name" 0
says "$name" "warning +broker +'/run/systemd/system/jail-ai-hook@.service.d' has no effect: the unit is jail-ai-hook.service"
rm -r /run/systemd

name='as JSON'
with_hooks "$work/hooks"
CONTAINERS_CONF=$work/containers.conf "$hook" doctor --json >"$work/out"
equal "$name: says what the text says" 'true true' \
    "$(jq -r '[(.works | tostring), ([.findings[] | select(.grade == "problem" or (.grade | IN("ok", "warning") | not))] | length == 0 | tostring)] | join(" ")' "$work/out")"
conforms "$name: it is what the schema says" doctor "$(<"$work/out")"
equal "$name: each finding is whole" true "$(jq '[.findings[] | keys == ["grade", "remedy", "topic", "what"]] | all' "$work/out")"

name='a container without the block'
hooks=$lab/no-hooks
mkdir -p "$hooks"
if start 'open' runc --network none "${jailed[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp 127.0.0.1 "$own_port"; then
    diagnose "$name" 0
    says "$name" 'warning +containers +running containers that must be jailed: 1; jailed: 0'
else
    not_ok "$name: starts" "$(why 'open')"
fi
remove runc 'open'
unset hooks
diagnose 'no container that asks' 0
says 'no container that asks' 'ok +containers +no running container must be jailed'

user=(setpriv --reuid 4711 --regid 4711 --clear-groups)
cp "$hook" "$work/for-all"
chmod 755 "$work/for-all"
chmod a+x "$lab" "$work"
hook=$work/for-all
name='an ordinary user without a broker'
diagnose "$name" 69 "${user[@]}"
says "$name" "problem +broker +no socket $socket"

name='an ordinary user with a broker that has gone'
/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$socket"
diagnose "$name" 69 "${user[@]}"
says "$name" "problem +broker +no process listens at $socket"
rm "$socket"

name='an ordinary user with a broker'
exec {listener}< <(exec /usr/bin/python3 -c 'import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
time.sleep(60)' "$socket")
listener_pid=$!
read -r -u "$listener" _
diagnose "$name" 0 "${user[@]}"
says "$name" "ok +broker +listens at $socket"
says "$name" 'warning +session '
kill "$listener_pid"
exec {listener}<&-
rm "$socket"

name='in a user namespace'
diagnose "$name" 69 unshare --user --map-root-user
says "$name" 'problem +bpf +this is inside of a user namespace'

name='root without its capabilities'
diagnose "$name" 69 setpriv --bounding-set=-bpf,-sys_admin,-net_admin
says "$name" 'problem +bpf +load BPF programs: Operation not permitted'

name='an option that there is not'
status=0
"$hook" doctor --jason >"$work/out" 2>"$work/err" || status=$?
equal "$name: ends with 64" 64 "$status"
matches "$name: says who says what there is" "unknown option '--jason': jail-ai-hook doctor --help shows what it takes" "$(<"$work/err")"

on_a_terminal() {
    CONTAINERS_CONF=$work/containers.conf "$@" /usr/bin/python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$hook" doctor
}
matches 'on a terminal grades are coloured' $'\033\\[32mok' "$(on_a_terminal env --unset NO_COLOR)"
equal 'with NO_COLOR they are not' 0 "$(on_a_terminal env NO_COLOR=1 | grep -c $'\033' || :)"
diagnose 'in a pipe' 0
equal 'nor in a pipe' 0 "$(grep -c $'\033' "$work/out" || :)"

name='a file that leaves out hooks of an earlier one'
mkdir -p "$work/others" /etc/containers/containers.conf.d # the view's own copy
echo '{}' >"$work/others/others.json"
printf '[engine]\nhooks_dir = ["%s"]\n' "$work/others" >/etc/containers/containers.conf.d/40-others.conf
printf '[engine]\nhooks_dir = ["%s"]\n' "$build/hooks.d" >/etc/containers/containers.conf.d/50-ours.conf
env --unset CONTAINERS_CONF "$hook" doctor >"$work/out" 2>&1 || :
says "$name" "warning hooks +'/etc/containers/containers.conf.d/40-others.conf' names '$work/others' for hooks, and '/etc/containers/containers.conf.d/50-ours.conf' replaces that"
printf '[engine]\nhooks_dir = ["%s", "%s"]\n' "$work/others" "$build/hooks.d" >/etc/containers/containers.conf.d/60-all.conf
env --unset CONTAINERS_CONF "$hook" doctor >"$work/out" 2>&1 || :
equal "$name: until a later one names both" '' "$(grep replaces "$work/out")"
rm /etc/containers/containers.conf.d/{40-others,50-ours,60-all}.conf

rm -r "$work"
finish
