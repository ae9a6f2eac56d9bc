# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash disable=SC2034 # variables for those who source it
# A machine that another Debian's systemd has booted (see booted), with this build installed, and users in it. To be sourced after containers.sh.

: "${build:?the build directory}" "${lab:?}" "${lib:?}"
# shellcheck source-path=SCRIPTDIR
# shellcheck source=install-into.sh
. "$lib/install-into.sh"
machine_root=$lab/machine machine_cgroup=/sys/fs/cgroup/machine
machine=$machine_root/files # its files
machine_pid=

# machine_up TREE
machine_up() {
    local attempt
    "$lib/booted" "$1" "$machine_root" "$machine_cgroup" >"$lab/console" 2>&1 &
    booted_pid=$!
    for ((attempt = 0; attempt < 3000; attempt++)); do
        [ ! -S "$machine/run/systemd/private" ] || break
        kill -0 "$booted_pid"
        sleep 0.02
    done
    machine_pid=$(pgrep --parent "$booted_pid")
    install_into "$machine"
    inside systemctl daemon-reload
}

# inside COMMAND...: as root
inside() { nsenter --target "$machine_pid" --all -- "$@"; }

# machine_user NAME ID: with subordinate ids, and a cgroup as a session of theirs has
machine_user() {
    local name=$1 id=$2 cgroup directory
    cgroup=$machine_cgroup/user.slice/user-$id.slice/user@$id.service
    echo "$name:x:$id:$id::/:/bin/sh" >>"$machine/etc/passwd"
    echo "$name:$((id * 1000)):65536" >>"$machine/etc/subuid"
    mkdir -p "$cgroup/session"
    for directory in "$cgroup" "$cgroup/session"; do chown "$id:$id" "$directory" "$directory"/cgroup.{procs,threads,subtree_control}; done
}

# in_session ID COMMAND...: as root, in the cgroup of that user's session
in_session() {
    local id=$1
    shift
    # shellcheck disable=SC2016 # sh expands it
    sh -c 'echo $$ >"$1" && pid=$2 && shift 2 && exec nsenter --target "$pid" --all -- "$@"' in_session \
        "$machine_cgroup/user.slice/user-$id.slice/user@$id.service/session/cgroup.procs" "$machine_pid" "$@"
}

machine_down() {
    local attempt
    [ -n "${booted_pid-}" ] || return 0
    kill -KILL "$booted_pid" 2>/dev/null || : # it may not have booted
    wait "$booted_pid" 2>/dev/null || :
    remove_cgroups "$machine_cgroup"
    umount --recursive "$machine_root"
    rmdir "$machine_root"
    booted_pid=
}

# on_machines NAME: calls "judge" on a machine of each of $machine_trees; of one that can't be had NAME is skipped
on_machines() {
    local tree
    while read -r tree; do
        if [ ! -d "$tree" ]; then
            skip "$1" "${tree:-there is no tree of it}"
            continue
        fi
        machine_up "$tree"
        judge
        machine_down
    done <<<"${machine_trees-}"
}

# end_with_machine [STATUS]: also where a theme ends before its time
# shellcheck disable=SC2317 # by the trap
end_with_machine() {
    local status=${1-$?}
    machine_down || not_ok 'the machine goes'
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}
trap end_with_machine EXIT
