# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Containers of the lab and what is attached to their cgroups, to be sourced. They run on the lab's root file system, whose only programs
# are busybox and /probe.
#
# Needs $build, as lab.sh does, and $seen, an open file descriptor: what jail-inspect says goes there too, so that it can be told in the
# end, from outside, whether the kernel has freed all programs.

# shellcheck source-path=SCRIPTDIR
# shellcheck source=report.sh
. "$(dirname "${BASH_SOURCE[0]}")/report.sh"
# shellcheck source=lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

: "${seen:?a file descriptor for what is to be checked after the view is gone}"
# shellcheck disable=SC2034 # for those who source this
jailed=(--annotation jail-ai.block-host=true)

# start NAME RUNTIME [PODMAN-OPTION]... -- COMMAND...: until the command has printed "probed" (see "probe listen ... then ...").
# What it printed before goes to $lines. Fails if the command ends first, or is silent for $patience seconds. Runs on $rootfs, by default the lab's.
start() {
    local name=$1 runtime=$2 options=() line stdout
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    rm -f "$lab/$name.hook"
    exec {stdout}< <(engine "$runtime" run --rm --name "$name" --pidfile "$lab/$name.pid" "${options[@]}" \
        --annotation "run.oci.hooks.stderr=$lab/$name.hook" --rootfs "${rootfs:-$lab/rootfs}" "$@" 2>"$lab/$name.err")
    lines=
    while IFS= read -r -t "${patience:-60}" -u "$stdout" line; do
        [ "$line" != probed ] || break
        lines+=$line$'\n'
    done
    exec {stdout}<&-
    [ "${line-}" = probed ]
}

# Why NAME did not start. crun throws away what hooks say unless it is given a file for it by run.oci.hooks.stderr.
why() {
    cat "$lab/$1.err"
    if [ -e "$lab/$1.hook" ]; then cat "$lab/$1.hook"; fi
}

cgroup_of() {
    local pid
    pid=$(<"$lab/$1.pid")
    sed -n 's|^0::|/sys/fs/cgroup|p' "/proc/$pid/cgroup"
}

remove() {
    engine "$1" rm --force --time 0 "$2" >"$lab/removed"
}

# inspect CGROUP: see jail-inspect
inspect() {
    "$build/tests/jail-inspect" "$1" | tee -a "/dev/fd/$seen"
}

denials() {
    inspect "$1" | sed -n 's/^denied //p' | sort
}

programs() {
    inspect "$1" | awk '$1 == "program" { print $2 }' | sort
}

# Our programs anywhere in the view, also where nobody meant to put them.
attached_anywhere() {
    local tree
    tree=$(bpftool cgroup tree /sys/fs/cgroup) || tree='jail_unknown: bpftool failed'
    grep -ow 'jail_[a-z0-9_]*' <<<"$tree" | sort
}

# remove_cgroups DIRECTORY: with everything in them
remove_cgroups() {
    local attempt pid
    for ((attempt = 0; attempt < 1200; attempt++)); do
        while read -r pid; do kill -KILL "$pid" 2>/dev/null || :; done < <(find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null) # or it has ended by itself
        if find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; then return 0; fi # by a trap, the bare word returns the status before that
        sleep 0.02
    done
    return 1
}
