#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# engines.sh BUILD [--short]
#
# What the hook adds to the start of a container by podman, root's and a user's, and by crun and runc themselves: the whole command, from its start until
# nothing of it is left, by the clock and by what processors have had to do for it. In each round one after the other, in a cgroup2-view: without hooks, with
# the hooks that podman has for a container that asks for nothing, and jailed. The floor of the latter is a hook that makes the same bpf(2) calls and does
# nothing else.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu

here=$(dirname "$(readlink -f "$0")")
most_times=2 # those of podman without the hook; clearly more than what is aimed at, which is nothing to be seen for root's and 1.1 for a user's

# processors: what everything in the view has had of them, in microseconds, into $used
processors() {
    local name value
    while read -r name value; do
        if [ "$name" = usage_usec ]; then used=$value; fi
    done </sys/fs/cgroup/cpu.stat
}

# take SIDE COMMAND...: a line "SIDE microseconds microseconds-of-processors" to $lab/rounds
take() {
    local side=$1 used before begin end
    shift
    processors
    before=$used
    begin=${EPOCHREALTIME/[.,]/}
    "$@" >"$lab/said" 2>&1 || { not_ok "bench: $*" "$(<"$lab/said")"; return 1; }
    end=${EPOCHREALTIME/[.,]/}
    while pgrep -f '^[^ ]*conmon |podman.* container cleanup' >/dev/null; do :; done # which podman doesn't wait for
    processors
    echo "$side $((end - begin)) $((used - before))" >>"$lab/rounds"
}

# Of what is in $lab/rounds: the median of a side's field beside that of the bare one in the same round, or in ms
ratio() { awk -v side="$1" -v field="$2" '$1 == "bare" { bare = $field } $1 == side { print $field / bare }' "$lab/rounds" | middle %.3f; }
milliseconds() { awk -v side="$1" '$1 == side { print $2 / 1000 }' "$lab/rounds" | middle %.1f; }
middle() { sort -g | awk -v format="$1" '{ all[NR] = $1 } END { printf format, all[int((NR + 1) / 2)] }'; }

# rounds_of NUMBER SIDE-COMMAND: the command is called with the side's name, and once before it counts
rounds_of() {
    local number=$1 side round
    shift
    : >"$lab/rounds"
    for side in "${sides[@]}"; do take "$side" "$@" "$side"; done
    : >"$lab/rounds"
    for ((round = 0; round < number; round++)); do
        for side in "${sides[@]}"; do take "$side" "$@" "$side"; done
    done
}

# say NAME: the row of what was measured
say() {
    local idle=''
    if [[ " ${sides[*]} " = *' unasked '* ]]; then idle="; asking for nothing $(ratio unasked 2) times by the clock, $(ratio unasked 3) times of processors"; fi
    printf '# bench: start by %s: jailed %s times without the hook by the clock, %s times of processors%s; %s ms, without %s ms (medians of %s)\n' \
        "$1" "$(ratio jailed 2)" "$(ratio jailed 3)" "$idle" "$(milliseconds jailed)" "$(milliseconds bare)" "$(grep -c '^bare ' "$lab/rounds")"
}

# within NAME: what was measured is no more than $most_times
within() {
    local times
    times=$(ratio jailed 3)
    if awk -v times="$times" -v most="$most_times" 'BEGIN { exit !(times < most) }'; then
        ok "a start by $1: less than $most_times times that without the hook"
    else
        not_ok "a start by $1: less than $most_times times that without the hook" "$times"
    fi
}

run_podman() { # WHO RUNTIME [OPTION]... SIDE
    local who=$1 runtime=$2 side=${*: -1} words=() hooks=$build/hooks.d
    case $side in bare) hooks=$lab/no-hooks ;; jailed) words=("${jailed[@]}") ;; esac
    "$who" podman --log-level error --runtime "$lab/bin/$runtime" --hooks-dir "$hooks" run --rm "${@:3:$#-3}" "${words[@]}" localhost/plain /bin/busybox true
}

as_root() { "$@"; }
as_user() { as "$user" "$@"; }

run_bundle() { # RUNTIME SIDE
    "$lab/bin/$1" --root "$lab/state" run --bundle "$lab/$2" bench
}

bundles() {
    mkdir "$lab/rootfs"/{proc,dev,sys} # as podman would make them
    ip netns add bench
    ip -n bench link set lo up
    ip -n bench address add 10.99.0.2/24 dev lo
    "$lib/bundle.sh" "$lab/bare" "$lab/rootfs" --netns /run/netns/bench -- /bin/busybox true
    "$lib/bundle.sh" "$lab/jailed" "$lab/rootfs" --netns /run/netns/bench --hook "$build/hook/jail-ai-hook" "${jailed[@]}" -- /bin/busybox true
    "$build/tests/bench/bench-recipe" "$lab/recipe" "$lab/minimal"
    mkdir "$lab/floor"
    jq --arg loader "$build/tests/bench/bench-loader" --arg recipe "$lab/recipe" \
        '.hooks.createRuntime[0] |= (.path = $loader | .args = ["bench-loader", $recipe, "/sys/fs/cgroup/bundle"])' \
        "$lab/jailed/config.json" >"$lab/floor/config.json"
}

inside() {
    local runtime seen podmans=7 runtimes=31
    exec {seen}>/dev/null
    # shellcheck source=containers.sh
    . "$lib/containers.sh"
    # shellcheck source=rootless.sh
    . "$lib/rootless.sh"
    lab_files
    mkdir "$lab/no-hooks"
    tar -C "$lab/rootfs" -cf "$lab/rootfs.tar" .
    bundles
    if [ -n "$short" ]; then podmans=3 runtimes=5; fi

    sides=(bare floor jailed)
    for runtime in crun runc; do
        rounds_of "$runtimes" run_bundle "$runtime"
        say "$runtime"
        printf '# bench: floor of a start by %s: %s times without a hook by the clock, %s times of processors, with one that makes the same bpf() calls (medians of %s)\n' \
            "$runtime" "$(ratio floor 2)" "$(ratio floor 3)" "$runtimes"
    done
    sides=(bare unasked jailed)
    podman import "$lab/rootfs.tar" localhost/plain >"$lab/said" 2>&1
    for runtime in crun runc; do
        rounds_of "$podmans" run_podman as_root "$runtime"
        say "podman and $runtime"
        within "podman and $runtime"
        [ -z "$short" ] || break
    done
    [ -z "$short" ] || finish
    ln -sf /dev/null /dev/log
    rootless_up
    as_user podman import - localhost/plain <"$lab/rootfs.tar" >"$lab/said" 2>&1
    # Without a cgroup of the container's own bookworm's crun leaves it in its caller's.
    rounds_of "$podmans" run_podman as_user crun --cgroups=split
    say 'rootless podman and crun'
    within 'rootless podman and crun'
    finish
}

missing_tools() {
    local tool
    for tool in podman crun runc conmon ip jq pgrep busybox setpriv setsid unshare /usr/bin/python3; do command -v "$tool" >/dev/null || echo "$tool"; done
}

outside() {
    local missing
    # shellcheck source=report.sh
    . "$lib/report.sh"
    missing=$(missing_tools)
    if [ -n "$missing" ]; then
        skip 'starts by engines' "needs ${missing//$'\n'/ }"
        finish
    fi
    report_finished=yes
    export build short
    exec setpriv --pdeathsig KILL "$lib/cgroup2-view" -n "$0" --inside
}

lib=$(readlink -f "$here/../lib")
case ${1-} in
    --inside) inside ;;
    '') sed -n '3s/^# /usage: /p' "$0" >&2; exit 64 ;;
    *) build=$(readlink -f "$1") short=${2-}; outside ;;
esac
