#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Real crun and runc, the hook with a fault in one of its system calls, and a listener at the host's address: whatever fails, a container
# that runs doesn't reach it. Takes $sample faults for each runtime, spread evenly over calls and kinds and the same ones each time.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

: "${sample:?how many faults}"
under=$lab/under

runtime_command() {
    "$lab/bin/$runtime" --root "$lab/state" "$@"
}

# bundle VALUE: a container that asks for the jail so, and says whether it reaches the host
bundle() {
    "$lib/bundle.sh" "$lab/bundle" "$lab/rootfs" --hook "$under/under-fault" --annotation "jail-ai.block-host=$1" -- \
        /probe tcp "$host_v4" "$port"
}

# run_bundle [PROCESS CALL KIND]: what it says, or "status N" in the end
run_bundle() {
    echo "$build/hook/jail-ai-hook $*" >"$under/PLAN"
    rm -f "$under/OUTCOME"
    runtime_command run --bundle "$lab/bundle" bundle 2>&1 || echo "status $?"
}

# planned: PROCESS CALL KIND a line, of the calls in $under/calls
planned() {
    awk -v sample="$sample" '
        { for (i = 4; i <= NF; i++) all[count++] = $1 " " $2 " " $(i) }
        END {
            step = count / sample
            for (at = 0; at < sample && at < count; at++) print all[int(at * step)]
        }' "$under/calls"
}

lab_files
lab_network
serve - $host_v4
mkdir -p "$under" "$lab/rootfs/dev" "$lab/rootfs/proc"
cp "$build/tests/faults/under-fault" "$under"
for runtime in crun runc; do
    bundle false
    equal "$runtime: without the jail it reaches the host" reached "$(run_bundle)"
    bundle true
    equal "$runtime: jailed, it doesn't" EPERM "$(run_bundle)"
    cp "$under/OUTCOME" "$under/calls"
    runs=0 same=0 rejected=0 missed=0 reached=() unknown=()
    while read -r -u "$plan" process call kind; do
        said=$(run_bundle "$process" "$call" "$kind")
        runs=$((runs + 1))
        case $said in
            *reached*) reached+=("$kind at $(<"$under/OUTCOME"), process $process, call $call") ;;
            *EPERM) same=$((same + 1)) ;;
            *status*) rejected=$((rejected + 1)) ;;
            *) unknown+=("$kind, process $process, call $call: $said") ;;
        esac
        if [ ! -e "$under/OUTCOME" ] || grep -q '^none' "$under/OUTCOME"; then missed=$((missed + 1)); fi
    done {plan}< <(planned)
    echo "# faults: $runtime: $(wc -l <"$under/calls") calls, $runs runs: $same jailed, $rejected rejected, ${#reached[@]} reached, ${#unknown[@]} unknown, $missed missed"
    equal "$runtime: of $runs containers none reaches the host" '' "${reached[*]-}"
    equal "$runtime: each runs, or is rejected" '' "${unknown[*]-}"
    equal "$runtime: some run" yes "$([ "$same" -gt 0 ] && echo yes)"
    equal "$runtime: nothing is left" '' "$(runtime_command list --quiet; find /sys/fs/cgroup -name 'bundle*'; attached_anywhere)"
done
finish
