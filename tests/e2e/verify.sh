#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What "verify" says of real containers: which ask for the block and have it, which don't have it, and what somebody has done to a jail since; and
# that no user can make it read others' files, wait, or blame others.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=schema.sh
. "$(dirname "$0")/../lib/schema.sh"

mkdir -p "$lab/no-hooks"

# verify ARGUMENT...: its words go to $said, its exit status to $status
verify() {
    status=0
    said=$(timeout 60 "$build/hook/jail-ai-hook" verify "$@" 2>&1) || status=$?
}

# finds NAME EXPECTED [ARGUMENT]...: kinds and containers, one "KIND ID" each, by name
finds() {
    local name=$1 expected=$2
    shift 2
    verify --json "$@"
    equal "$name" "$expected" "$(jq -r '.findings[] | "\(.kind) \(.container)"' <<<"$said" | sort | paste -sd ' ')"
}

id_of() { podman inspect --format '{{.Id}}' "$1"; }

verify
equal 'nobody asks, and all is well' "0 containers that must be jailed: 0; jailed: 0" "$status $said"
verify --json
equal 'one that asks for nothing is seen, and is none of the findings' "runc 0 nothing false 0" \
    "$(jq -r --arg id "$(id_of peer)" '(.containers[] | select(.container == $id) | "\(.runtime) \(.owner) \(.asks) \(.jailed) ") + (.findings | length | tostring)' <<<"$said")"

listening=(-- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp 127.0.0.1 "$own_port")
for runtime in crun runc; do
    started=yes
    start held "$runtime" --network dual "${jailed[@]}" "${listening[@]}" || started=no
    start watched "$runtime" --network dual --annotation jail-ai.block-host=audit "${listening[@]}" || started=no
    start let "$runtime" --network dual --annotation jail-ai.block-host=false "${listening[@]}" || started=no
    verify
    equal "$runtime: all is well" '0 containers that must be jailed: 2; jailed: 2' "$status $said"
    hooks=$lab/no-hooks start 'open' "$runtime" --network dual "${jailed[@]}" "${listening[@]}" || started=no
    hooks=$lab/no-hooks start typo "$runtime" --network dual --annotation jail-ai.block_host=true "${listening[@]}" || started=no
    if [ $started = no ]; then
        not_ok "$runtime: starts" "$(why held) $(why open)"
        continue
    fi
    held=$(id_of held) open=$(id_of 'open') typo=$(id_of typo) cgroup=$(cgroup_of held)
    finds "$runtime: those that no hook has jailed are found" "$(printf 'not-jailed %s\n' "$open" "$typo" | sort | paste -sd ' ')"
    verify
    matches "$runtime: it says what to do" \
        "^1 .*${open:0:12} \(open\): not jailed: its annotations or the settings file ask for it: restart it, or run jail-ai-hook attach --container ${open:0:12}.*containers that must be jailed: 4; jailed: 2$" \
        "$status $(paste -sd ' ' <<<"$said")"
    verify --json
    conforms "$runtime: machines are told in the form that the schema has" verify "$said"
    verify "$held" "$(id_of watched)"
    equal "$runtime: only those that are named are looked at, by ID" '0 containers that must be jailed: 2; jailed: 2' "$status $said"
    verify 'open'
    matches "$runtime: or by name" "^1 ${open:0:12} \(open\): .* containers that must be jailed: 1; jailed: 0$" "$status $(paste -sd ' ' <<<"$said")"

    ip address add 198.51.100.77/32 dev lo
    finds "$runtime: an address that the host has since is missed" "$(printf 'stale %s\n' "$held" "$(id_of watched)" | sort | paste -sd ' ')" held watched
    matches "$runtime: by name" 'it reaches 198\.51\.100\.77".*jail-ai-hook refresh' "$said"
    "$build/hook/jail-ai-hook" refresh >"$lab/refreshed"
    finds "$runtime: after a refresh it isn't" '' held watched
    ip address del 198.51.100.77/32 dev lo
    "$build/hook/jail-ai-hook" refresh >"$lab/refreshed"

    program=$(bpftool --json cgroup show "$cgroup" | jq '.[] | select(.name == "jail_egress").id')
    bpftool cgroup detach "$cgroup" egress id "$program"
    finds "$runtime: a program that somebody has detached is missed" "program-missing $held" held
    matches "$runtime: by name" 'jail_egress' "$said"
    program=$(bpftool --json cgroup show "$cgroup" | jq '.[] | select(.name == "jail_connect4").id')
    bpftool cgroup detach "$cgroup" connect4 id "$program"
    finds "$runtime: also where it is the one that others know a jail by" "program-missing $held" held
    for name in held watched let 'open' typo; do remove "$runtime" "$name"; done
    verify
    equal "$runtime: with them all that was found is gone" '0 containers that must be jailed: 0; jailed: 0' "$status $said"
done

# By the runtimes themselves, in the directories that they take by themselves.
hook=$build/hook/jail-ai-hook
for runtime in crun runc; do
    for how in without with; do
        options=(--annotation jail-ai.block-host=true)
        [ $how = without ] || options+=(--hook "$hook")
        "$lib/bundle.sh" "$lab/bundle" "$lab/rootfs" "${options[@]}" -- /probe listen tcp 127.0.0.1 "$own_port"
        expected=''
        [ $how = with ] || expected='not-jailed bundle'
        ready "$lab/bin/$runtime" run --bundle "$lab/bundle" bundle
        finds "$runtime by itself, $how a hook" "$expected"
        "$lab/bin/$runtime" kill bundle KILL
        while [ -e "/run/$runtime/bundle" ]; do sleep 0.02; done # which the one that ran it takes away
    done
done

# Where containerd, Docker and CRI-O tell them to keep their states, each runtime of theirs.
for root in /run/crun /run/runc /run/containerd/runc/k8s.io /run/docker/runtime-runc/moby /run/docker/runtime-other/moby; do
    for runtime in crun runc; do
        mkdir -p "$root"
        ready "$lab/bin/$runtime" --root "$root" run --bundle "$lab/bundle" bundle
        verify --json
        equal "$runtime in $root: is seen" "$runtime enforce true" \
            "$(jq -r '.containers[] | select(.container == "bundle") | "\(.runtime) \(.asks) \(.jailed)"' <<<"$said")"
        "$lab/bin/$runtime" --root "$root" kill bundle KILL
        while [ -e "$root/bundle" ]; do sleep 0.02; done
    done
done
rm -r /run/containerd /run/docker

# A user's own states say what the user likes.
user_id=1600
runtime_dir=/run/user/$user_id
as_user=(setpriv --reuid "$user_id" --regid "$user_id" --clear-groups)
install -d -m 755 /run/user
install -d -m 700 -o $user_id -g $user_id "$runtime_dir"
"${as_user[@]}" mkdir -p "$runtime_dir"/{crun,bundle}
echo '{"annotations": {"jail-ai.block-host": "true"}}' >"$lab/asking.json"
chmod 644 "$lab/asking.json"
"${as_user[@]}" cp "$lab/asking.json" "$runtime_dir/bundle/config.json"
exec {stdout}< <("${as_user[@]}" unshare --user --map-root-user sh -c 'echo $$; exec sleep 100')
read -r -u "$stdout" user_pid
peer_pid=$(podman inspect --format '{{.State.Pid}}' peer)

# state ID PID [BUNDLE]: as crun would have written it
state() {
    "${as_user[@]}" mkdir -p "$runtime_dir/crun/$1"
    "${as_user[@]}" tee "$runtime_dir/crun/$1/status" >"$lab/written" \
        <<<"{\"pid\": $2, \"process-start-time\": $(sed 's/.*) //' "/proc/$2/stat" | cut -d ' ' -f 20), \"bundle\": \"${3-$runtime_dir/bundle}\"}"
}

# tries NAME EXPECTED-FINDINGS: and takes away what the user made
tries() {
    finds "a user's state: $1" "$2"
    equal "a user's state: $1: nothing is waited for" yes "$([ $status -ne 124 ] && echo yes)"
    rm -rf "${runtime_dir:?}/crun"
    "${as_user[@]}" mkdir "$runtime_dir/crun"
}

state honest "$user_pid"
equal "a user's container is the user's" "$user_id enforce false" "$(verify --json && jq -r '.containers[] | select(.container == "honest") | "\(.owner) \(.asks) \(.jailed)"' <<<"$said")"
tries 'honest, it is found' 'not-jailed honest'
state liar "$peer_pid"
tries "somebody else's process is not taken for it" 'user-state '
state liar 1
tries 'nor is one in no user namespace' 'user-state '
state old "$user_pid"
sed -i 's/"process-start-time": /&1/' "$runtime_dir/crun/old/status"
tries 'nor is a later process of that number' ''
state nosy "$user_pid" /root/bundle
mkdir -p /run/others
cp "$lab/asking.json" /run/others/config.json
state nosy "$user_pid" /run/others
tries "somebody else's config.json is not read" 'unreadable nosy'
"${as_user[@]}" ln -sf /run/others/config.json "$runtime_dir/bundle/config.json"
state nosy "$user_pid"
tries 'nor by a link' 'unreadable nosy'
"${as_user[@]}" ln -sfT /proc/self/root/run/others "$runtime_dir/leading"
state nosy "$user_pid" "$runtime_dir/leading"
tries 'nor by a link of procfs' 'unreadable nosy'
"${as_user[@]}" rm "$runtime_dir/bundle/config.json"
"${as_user[@]}" mkfifo "$runtime_dir/bundle/config.json"
state slow "$user_pid"
tries 'a fifo for config.json is not waited for' 'unreadable slow'
"${as_user[@]}" rm "$runtime_dir/bundle/config.json"
"${as_user[@]}" truncate --size 1G "$runtime_dir/bundle/config.json"
state huge "$user_pid"
tries 'a huge config.json is not read' 'unreadable huge'
state 'x' "$user_pid"
"${as_user[@]}" mv "$runtime_dir/crun/x" "$runtime_dir/crun/"$'x\e[2J\n'
tries 'a name that no container has is none' 'user-state '
for kind in fifo link huge nonsense directory; do
    "${as_user[@]}" mkdir -p "$runtime_dir/crun/odd"
    file=$runtime_dir/crun/odd/status
    case $kind in
        fifo) "${as_user[@]}" mkfifo "$file" ;;
        link) "${as_user[@]}" ln -s /etc/shadow "$file" ;;
        huge) "${as_user[@]}" truncate --size 1G "$file" ;;
        nonsense) "${as_user[@]}" cp /bin/true "$file" ;;
        directory) "${as_user[@]}" mkdir "$file" ;;
    esac
    tries "$kind for a state" 'user-state '
    equal "nothing of what lies behind it is told ($kind)" '' "$(grep -E 'root:|ELF' <<<"$said")"
done
rm -r "$runtime_dir/crun"
"${as_user[@]}" ln -s /run/runc "$runtime_dir/crun"
tries "a link in the directory's place" 'user-state '
kill "$user_pid"
exec {stdout}<&-
rm -r "$runtime_dir" /run/others

verify --jason
matches 'an option that there is not' "^64 .*unknown option '--jason': jail-ai-hook verify --help shows what it takes" "$status $said"
verify nobody
matches 'a container that does not exist' "^66 .*no container 'nobody' runs" "$status $said"
cp "$build/hook/jail-ai-hook" "$lab/hook"
status=0
words=$("${as_user[@]}" "$lab/hook" verify 2>&1) || status=$?
matches 'a user who is not root gets the reason' '^77 .*only root may look' "$status $words"
finish
