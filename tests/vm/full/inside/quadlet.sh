#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A container that systemd starts from the quadlet in examples, as it stands there: of root's and of an ordinary user's. Its own first process is
# jailed, and the same quadlet without the annotation reaches everything.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

example=${inside%/*}/quadlet/agent.container
if [ "$release" = 12 ]; then
    skip 'quadlets' "$(podman --version) has none, they came with 4.4"
    finish
fi

image_of=$lab/image
mkdir "$image_of"
cp -a "$lab/rootfs/." "$image_of"
told=/run/told # what the container's process says goes there
install -d -m 777 "$told"

# as_root COMMAND..., as_user COMMAND...: as that owner of a quadlet, $manager leads to whose service manager
# shellcheck disable=SC2317 # called by name
as_root() { "$@"; }
# shellcheck disable=SC2317
as_user() { login "$@"; }

# put OWNER FILE: from standard input
put() { "as_$1" tee "$2" >"$lab/put"; }

# starts OWNER UNIT: with what else it takes to be a test in a drop-in, so that the quadlet itself is the example's. Its first process's words go to $lines.
starts() {
    local owner=$1 unit=$2 words
    "as_$owner" mkdir -p "$units/$unit.container.d"
    put "$owner" "$units/$unit.container.d/test.conf" <<DROP_IN
[Container]
Volume=$told:/told
Exec=/bin/sh -c "exec /probe listen tcp 127.0.0.1 $own_port then ${tries[*]} >/told/words"
DROP_IN
    rm -f "$told/words"
    mkfifo -m 666 "$told/words"
    exec {words}<>"$told/words"
    "as_$owner" systemctl "${manager[@]}" daemon-reload
    if ! "as_$owner" systemctl "${manager[@]}" start "$unit" 2>"$lab/started"; then
        lines=$(cat "$lab/started"; journalctl --quiet --boot --lines 20 --output cat)
        exec {words}<&-
        return 1
    fi
    lines=
    while IFS= read -r -t "$patience" -u "$words" line && [ "$line" != probed ]; do lines+=$line$'\n'; done
    exec {words}<&-
    "as_$owner" podman inspect --format '{{.State.Pid}}' "systemd-$unit" >"$lab/$unit.pid"
}

ends() {
    "as_$1" systemctl "${manager[@]}" stop "$2"
    "as_$1" rm -r "$units/$2.container" "$units/$2.container.d"
    "as_$1" systemctl "${manager[@]}" daemon-reload
}

results() { awk '$1 == "tcp" || $1 == "udp" { print $NF }' <<<"$lines" | paste -sd ' '; }

# check OWNER PLACE: PLACE is what the cgroup's path shows of whose service it is
check() {
    local owner=$1 name="quadlet of $1's" cgroup
    tar -C "$image_of" -c . | "as_$owner" podman --log-level error import - localhost/agent >"$lab/imported" 2>&1
    "as_$owner" mkdir -p "$units"

    put "$owner" "$units/free.container" < <(sed '/^Annotation=/d' "$example")
    if starts "$owner" free; then
        equal "$name: without the annotation its process reaches everything" 'reached reached reached reached reached' "$(results)"
        equal "$name: and has no jail" '' "$(programs "$(cgroup_of free)")"
    else
        not_ok "$name: starts without the annotation" "$lines"
    fi
    ends "$owner" free

    put "$owner" "$units/agent.container" <"$example"
    if starts "$owner" agent; then
        cgroup=$(cgroup_of agent)
        equal "$name: its process is blocked from its first instruction, the internet is reached" 'EPERM EPERM EPERM reached reached' "$(results)"
        equal "$name: each denial is counted" 'local 2|metadata 1' "$(denials "$cgroup" | paste -sd '|')"
        matches "$name: its cgroup is the service's own" "$2/agent.service/libpod-payload-" "$cgroup"
        equal "$name: the programs are on its cgroup and nowhere else" "$(programs "$cgroup")" "$(attached_anywhere)"
        matches "$name: the guard's among them" 'jail_socket' "$(programs "$cgroup")"
    else
        not_ok "$name: starts jailed" "$lines$(journal)"
    fi
    ends "$owner" agent
    equal "$name: once it is stopped, nothing is attached" '' "$(attached_anywhere)"
}

slow=30000 # milliseconds
tries=(tcp "$host_second_v4" "$port" "$slow" -- udp "$host_second_v4" "$port" "$slow" -- tcp "$metadata_v4" "$port" "$slow" --
    tcp "$internet_v4" "$port" "$slow" -- udp "$internet_v4" "$port" "$slow")
manager=() units=/etc/containers/systemd
check root '/system\.slice'
systemctl enable --now jail-ai-hook.socket 2>"$lab/enabled"
manager=(--user) units=/home/$user/.config/containers/systemd
check user "/user@1000\.service/app\.slice"
systemctl disable --now jail-ai-hook.socket 2>>"$lab/enabled"
finish
