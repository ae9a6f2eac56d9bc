# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash disable=SC2034 # variables for those who source it
# Ordinary users in the view, with what adduser(8) and systemd give to one: subordinate ids, a runtime directory and a delegated cgroup; their rootless
# podman; and the broker. To be sourced after containers.sh.

: "${build:?the build directory}" "${lab:?}" "${lib:?}" "${host_v4:?}" "${internet_v4:?}" "${port:?}" "${own_port:?}" "${jailed[*]:?}"
lines='' version='' targets=''
: "${hooks:=$build/hooks.d}"
broker_socket=/run/jail-ai-hook.sock broker_pid=
user=agent user_id=1500
user_cgroup=/sys/fs/cgroup/user-$user_id
rootfs=$lab/home/$user/rootfs
in_tree=() # what runs podman in another system's files
kept=/run/user/$user_id # a place that the user can write to

# delegate CGROUP ID: makes it, for a user to have cgroups of their own in it
delegate() {
    mkdir -p "$1"
    chown "$2:$2" "$1" "$1"/cgroup.{procs,threads,subtree_control}
}

# tun_for_all: as udev has it; slirp4netns and pasta need it
tun_for_all() {
    [ ! -c /dev/net/tun ] || [ "$(stat -c %a /dev/net/tun)" != 666 ] || return 0
    mkdir -p /dev/net
    rm -f /dev/net/tun
    mknod -m 666 /dev/net/tun c 10 200
}

# user_up NAME ID: users exist in the view alone. They begin with nothing that a theme before has left, were it killed: podman joins the namespaces of a
# process that it finds, whose mounts may be another system's.
user_up() {
    local name=$1 id=$2
    user_down "$name" "$id"
    if ! getent passwd "$name" >/dev/null; then
        echo "$name:x:$id:$id::$lab/home/$name:/bin/sh" >>/etc/passwd
        echo "$name:x:$id:" >>/etc/group
        echo "$name:*:19000::::::" >>/etc/shadow
        echo "$name:$((id * 1000)):65536" | tee -a /etc/subuid >>/etc/subgid
    fi
    mkdir -p "$lab/users" # for as-user
    cp -p /etc/{passwd,group,shadow,subuid,subgid} "$lab/users"
    install -d -m 711 "$lab/home"
    install -d -m 755 /run/user # of whatever a theme before has made of it
    install -d -m 700 -o "$id" -g "$id" "$lab/home/$name" "/run/user/$id"
    printf '[storage]\ndriver = "vfs"\n' >"$lab/home/$name/storage.conf"
    cp -a "$lab/rootfs" "$lab/home/$name/rootfs"
    mkdir -p "$lab/home/$name/rootfs"/{proc,sys,dev,run,etc}
    chown -R "$id:$id" "$lab/home/$name"
    tun_for_all
    delegate "/sys/fs/cgroup/user-$id" "$id"
    delegate "/sys/fs/cgroup/user-$id/session" "$id"
}

# user_down NAME ID: ends everything of theirs, podman's own process that holds the user namespace among it
user_down() {
    [ ! -d "/sys/fs/cgroup/user-$2" ] || remove_cgroups "/sys/fs/cgroup/user-$2"
    rm -rf "${lab:?}/home/${1:?}" "/run/user/${2:?}"
}

# as NAME COMMAND...
as() {
    local name=$1
    shift
    "${in_tree[@]}" "$lab/bin/as-user" "$name" "/sys/fs/cgroup/user-$(id -u "$name")/session" "$@"
}

# pause_process: the one whose namespaces the user's podman joins
pause_process() {
    local pid=''
    read -r pid 2>/dev/null <"/run/user/$user_id/libpod/tmp/pause.pid" || : # there may be none, and no end of the line
    if [ -n "$pid" ] && [ -d "/proc/$pid/root" ]; then echo "$pid"; fi
}

# engine RUNTIME PODMAN-ARGUMENT...: as in lab.sh, but the user's
engine() {
    local runtime=$lab/bin/$1 giver=()
    [ ${#in_tree[@]} -eq 0 ] || runtime=$1
    shift
    [ -z "${gift-}" ] || giver=("$lib/give" "$gift")
    if calls_hooks "$1"; then
        [ -n "$(pause_process)" ] || as "$user" podman --log-level error unshare true
        finds_hooks "/proc/$(pause_process)/root" || return
    fi
    as "$user" "${giver[@]}" podman --log-level error --runtime "$runtime" --hooks-dir "$hooks" "$@"
}

# shellcheck disable=SC2120 # a theme gives them
# broker_up [FLAG]...: as jail-ai-hook.socket and its service do, with the limits of that
broker_up() {
    local said=''
    rm -f "$broker_socket" # of a theme that was killed
    exec {broker_says}< <(exec "$lib/as-unit" "$build/systemd/jail-ai-hook.service" "$broker_socket" "$build/hook/jail-ai-hook" broker --idle="${broker_idle:-86400}" "$@" 2>"$lab/broker.err")
    broker_pid=$!
    IFS= read -r -t 60 -u "$broker_says" said || :
    exec {broker_says}<&-
    [ "$said" = ready ] || not_ok "${0##*/}: the broker listens" "$(<"$lab/broker.err")"
}

broker_down() {
    if [ -n "$broker_pid" ]; then
        kill "$broker_pid" || not_ok "${0##*/}: the broker's starter lives" "$(<"$lab/broker.err")"
        while kill -0 "$broker_pid" 2>/dev/null; do sleep 0.01; done
    fi
    broker_pid=
    rm -f "$broker_socket"
}

# rootless_up: the user, the broker, and a syslog that users can write to
rootless_up() {
    cp "$lib/as-user" "$lab/bin"
    chmod 1777 "$lab" # the user's pidfiles and messages
    rm -f "$lab"/*.pid "$lab"/.*.pid # root's, of the themes before, which the user may not replace there
    chmod 666 /dev/log
    user_up "$user" "$user_id"
    # shellcheck disable=SC2119
    broker_up
}

# rootless_down [STATUS]: also where a theme ends before its time, as the next one has users of the same names
# shellcheck disable=SC2317 # by the trap
rootless_down() {
    local status=${1-$?}
    broker_down
    user_down "$user" "$user_id" || not_ok "${0##*/}: the user's processes and cgroups go"
    rm -rf "${lab:?}/etc" # see as-user: the next theme may have other files there
    chmod 755 "$lab"
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}
trap rootless_down EXIT

# results: those of the probes in $lines, one word each
results() {
    awk '$1 == "tcp" || $1 == "udp" { print $NF }' <<<"$lines" | paste -sd ' '
}

# jailed_and_not NAME RUNTIME BLOCKED OPTION...: a container whose own process, which is a probe, finds the host's addresses in $targets out of reach and
# the internet in reach; and the same without the annotation, where BLOCKED is what each of the host's gives.
jailed_and_not() {
    local name="$version: $1" runtime=$2 without=$3 probes=() target with='' cgroup
    shift 3
    for target in $targets; do
        probes+=(tcp "$target" "$port" -- udp "$target" "$port" --)
        with+='EPERM EPERM '
    done
    probes+=(tcp "$internet_v4" "$port" -- udp "$internet_v4" "$port")
    if ! start rootless "$runtime" "$@" "${jailed[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" hello "then" "${probes[@]}"; then
        not_ok "$name: starts jailed" "$(why rootless)"
        return
    fi
    equal "$name: its own process is blocked from its first instruction, the internet is reached" "${with}reached reached" "$(results)"
    cgroup=$(cgroup_of rootless)
    # Where the runtime makes the network namespace, inside of the cgroup, the kernel's own reports of multicast groups are the container's.
    equal "$name: each denial is counted" $((2 * $(wc -w <<<"$targets"))) "$(denials "$cgroup" | awk '$1 != "multicast" { sum += $2 } END { print sum }')"
    # bpftool here knows nothing of hooks for Unix sockets.
    equal "$name: the programs are on its cgroup and nowhere else" "$(programs "$cgroup" | grep -v '^jail_abs_')" "$(attached_anywhere)"
    matches "$name: all of them" 'jail_connect4.*jail_connect6.*jail_create.*jail_egress.*jail_ingress.*jail_sendmsg4.*jail_sendmsg6' "$(programs "$cgroup" | paste -sd ' ')"
    remove "$runtime" rootless
    if ! start rootless "$runtime" "$@" -- /probe listen tcp 127.0.0.1 "$own_port" hello "then" "${probes[@]}"; then
        not_ok "$name: starts unjailed" "$(why rootless)"
        return
    fi
    equal "$name: without the annotation all are reached" "$without reached reached" "$(results)"
    remove "$runtime" rootless
}

# lives_on RUNTIME ADDRESS OPTION...: exec and restart; the address is the host's
lives_on() {
    local runtime=$1 name="$version, $1" host=$2 told=$kept/told inode
    shift 2
    rm -rf "$told"
    as "$user" mkdir "$told"
    as "$user" mkfifo "$told/words"
    hear() { timeout 60 head -n 4 "$told/words" | grep -v '^ready$' | paste -sd '|'; }
    engine "$runtime" run --detach --name lived --pidfile "$lab/lived.pid" "$@" "${jailed[@]}" -v "$told:/told" --rootfs "$rootfs" /bin/sh -c \
        "exec /probe listen tcp 127.0.0.1 $own_port then tcp $host $port -- tcp $internet_v4 $port >/told/words" >"$lab/lived.id"
    local words="tcp $host $port EPERM|tcp $internet_v4 $port reached|probed"
    equal "$name: its command is jailed" "$words" "$(hear)"
    equal "$name: a process by exec is jailed" 'EPERM EPERM reached' \
        "$(engine "$runtime" exec lived /probe tcp "$host" "$port" -- udp "$host" "$port" -- tcp "$internet_v4" "$port" | awk '{ print $4 }' | paste -sd ' ')"
    equal "$name: all denials are counted" 'local 3' "$(denials "$(cgroup_of lived)")"
    inode=$(stat -c %i "$(cgroup_of lived)")
    engine "$runtime" restart --time 0 lived >"$lab/lived.id"
    equal "$name: after restart, its command is jailed" "$words" "$(hear)"
    equal "$name: after restart, in a cgroup of its own again" 'another local 1' \
        "$([ "$(stat -c %i "$(cgroup_of lived)")" = "$inode" ] || echo another) $(denials "$(cgroup_of lived)")"
    remove "$runtime" lived
    equal "$name: once it is removed, nothing is attached" '' "$(attached_anywhere)"
}

# turned_down NAME RUNTIME STATUS REASON OPTION...: the user's container doesn't start, for that reason, and nothing is attached
turned_down() {
    local name="$version: $1" runtime=$2 status=$3 reason=$4 podman_status=0 words
    shift 4
    words=$(engine "$runtime" run --rm --name refused "$@" --annotation "run.oci.hooks.stderr=$kept/refused.hook" --rootfs "$rootfs" \
        /probe tcp "$host_v4" "$port" 2>"$lab/refused.err") || podman_status=$?
    equal "$name: podman fails with 126, and nothing ran" 126 "$podman_status$words"
    [ ! -e "$kept/refused.hook" ] || cat "$kept/refused.hook" >>"$lab/refused.err"
    rm -f "$kept/refused.hook"
    matches "$name: the user is told the status" "exit (code:|status) $status" "$(<"$lab/refused.err")"
    matches "$name: and the reason" "jail-ai-hook: rejected: container [^:]*: .*$reason" "$(<"$lab/refused.err")"
    matches "$name: so is syslog" "<27>[^|]*jail-ai-hook[^|]*$reason" "$(logged "$1" | paste -sd '|')"
    equal "$name: nothing is attached, wherever" '' "$(attached_anywhere)"
}
