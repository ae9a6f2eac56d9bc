#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The tests' own ground: cgroup2-view leaves nothing on the machine, however it ends. Runs outside of any view.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=report.sh
. "$(dirname "$0")/../lib/report.sh"
cgroups=$(findmnt --noheadings --first-only --output TARGET --types cgroup2)
view=$(dirname "$0")/../lib/cgroup2-view

# In the view: a process that outlives its parent, a named network namespace, a bridge, a container network and a log socket.
# shellcheck disable=SC2016 # for the shell in the view
clutter='ip netns add clutter; ip link add clutter type bridge; : >/etc/containers/clutter; : >/dev/clutter
    setsid sleep 1000 & mkdir /sys/fs/cgroup/clutter; echo $! >/sys/fs/cgroup/clutter/cgroup.procs
    readlink /proc/self/ns/net; '

# left NAMESPACE: what of a view is still there, once its sweeper has had its time
left() {
    local attempt found
    for ((attempt = 0; attempt < 1200; attempt++)); do
        found=$(
            compgen -G "$cgroups/jail-ai-view.$1-*" || :
            lsns --type net --noheadings --output NS,COMMAND | grep -w "$(tr -dc 0-9 <<<"$2")" || :
            ls -d /etc/containers/clutter /dev/clutter /run/netns/clutter 2>/dev/null || :
        )
        [ -n "$found" ] || return 0
        sleep 0.05
    done
    echo "$found"
}

# shellcheck disable=SC2016 # for awk
equal 'a view has cgroup v2 alone' '/sys/fs/cgroup cgroup2' "$("$view" awk '/ - cgroup/ { print $5, $(NF - 2) }' /proc/self/mountinfo)"
equal "a view's root cgroup is empty of processes, and the command's below it" '0 /init' \
    "$("$view" sh -c 'wc -l </sys/fs/cgroup/cgroup.procs; sed -n s/^0:://p /proc/self/cgroup' | paste -sd ' ')"
equal 'with -n a view has a network of its own' 'lo' "$("$view" -n ip -oneline link | awk -F ': ' '{ print $2 }')"

for end in exit TERM HUP KILL; do
    exec {told}< <(exec "$view" -n bash -c "$clutter$([ $end = exit ] && echo 'exit 7' || echo 'sleep 1000')")
    pid=$!
    read -r -t 20 -u "$told" namespace
    status=0
    [ $end = exit ] || kill -s $end "$pid"
    wait "$pid" || status=$?
    exec {told}<&-
    case $end in
        exit) equal "ended by exit: the command's status is the view's" 7 "$status" ;;
        *) equal "ended by SIG$end: the view ends at once" $((128 + $(kill -l $end))) "$status" ;;
    esac
    equal "ended by $end: nothing is left" '' "$(left "$pid" "$namespace")"
done
finish
