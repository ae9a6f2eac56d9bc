# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# An engine that is a daemon, from another Debian release's files, with this build installed in them. It has the view's network, cgroups, processes, /run and
# syslog. To be sourced after containers.sh.

: "${build:?the build directory}" "${lab:?}" "${lib:?}"
# shellcheck source-path=SCRIPTDIR
# shellcheck source=install-into.sh
. "$lib/install-into.sh"
engine_root=$lab/engine
engine_files=$engine_root/files # changes of the tree are in memory
engine_pid=

# engine_tree_up TREE
engine_tree_up() {
    mkdir "$engine_root"
    mount -t tmpfs -o mode=755 tmpfs "$engine_root"
    mkdir "$engine_root"/{changes,work,files}
    mount -t overlay -o "lowerdir=$1,upperdir=$engine_root/changes,workdir=$engine_root/work" overlay "$engine_files"
    install_into "$engine_files"
    # Which engines look up, Docker at each start of a container, and wait for resolvers that they can't reach.
    echo '127.0.0.1 localhost' >"$engine_files/etc/hosts"
    # What packages' scripts would have made.
    rm -rf "$engine_files/var/run"
    ln -s ../run "$engine_files/var/run"
    iptables_into "$engine_files"
    printf 'ID=debian\nPRETTY_NAME=Debian\n' >"$engine_files/usr/lib/os-release"
}

# engine_start STATE-DIRECTORY COMMAND...: what it says goes to $lab/engine.log. Its state is not kept.
engine_start() {
    local state=$1
    shift
    mkdir -p "$engine_files$state"
    # shellcheck disable=SC2016 # sh expands it
    env PATH=/usr/sbin:/usr/bin "$lib/in-tree" "$engine_files" /bin/sh -c 'mount -t tmpfs -o mode=711 tmpfs "$0" && exec "$@"' "$state" "$@" >"$lab/engine.log" 2>&1 &
    engine_pid=$!
}

# engine_says TEXT: once it has
engine_says() {
    local attempt
    for ((attempt = 0; attempt < 1200; attempt++)); do
        ! grep -qsF "$1" "$lab/engine.log" || return 0
        kill -0 "$engine_pid" || break
        sleep 0.05
    done
    not_ok "the engine says '$1'" "$(tail -n 3 "$lab/engine.log")"
    return 1
}

# beside COMMAND...: where the engine's files are the root
beside() { nsenter --target "$engine_pid" --mount -- /usr/bin/env PATH=/usr/sbin:/usr/bin "$@"; }

# engine_down CGROUP...: below which it made others
engine_down() {
    local cgroup
    [ -z "$engine_pid" ] || kill "$engine_pid" 2>/dev/null || : # it may have ended by itself
    [ -z "$engine_pid" ] || wait "$engine_pid" 2>/dev/null || : # with a status of its own
    engine_pid=
    for cgroup; do [ ! -d "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} +; done
    umount --recursive "$engine_root"
    rmdir "$engine_root"
}
