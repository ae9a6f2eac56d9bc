#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A user's own Docker, as Debian 13 has it: dockerd-rootless.sh as a service of the user's systemd, rootlesskit, slirp4netns or pasta, and the hook's verb "runtime"
# in the user's daemon.json. $rootless_docker_tree, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=machine.sh
. "$lib/machine.sh"

# shellcheck disable=SC2034 # for on_machines
machine_trees=${rootless_docker_tree-}
id=1700 home=/home/agent
user_gateway=10.1.2.2 user_resolver=10.1.2.3 # not those that convention gives a meaning
sources=$(readlink -f "$lib/../..")

user_up() {
    local units=$machine/etc/systemd/system
    echo "agent:x:$id:$id::$home:/bin/sh" >>"$machine/etc/passwd"
    echo "agent:x:$id:" >>"$machine/etc/group"
    echo "agent:$((id * 1000)):65536" | tee -a "$machine/etc/subuid" >>"$machine/etc/subgid"
    echo '127.0.0.1 localhost' >"$machine/etc/hosts"
    iptables_into "$machine"
    install -d -m 700 -o $id -g $id "$machine$home"
    install -d -m 755 "$machine/run/user"
    # A session as PAM and logind make one.
    printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/install -d -m 700 -o %s -g %s /run/user/%s\n' $id $id $id >"$units/user-runtime-dir@$id.service"
    mkdir "$units/user@$id.service.d"
    printf '[Service]\nPAMName=\nEnvironment=XDG_RUNTIME_DIR=/run/user/%s\n' $id >"$units/user@$id.service.d/test.conf"
    inside mount --make-rshared / # as systemd has it, where it is not in a container
    inside mkdir /dev/net
    inside mknod -m 666 /dev/net/tun c 10 200
    inside umount /proc/sys # which only a machine in the view has mounted
    inside systemctl daemon-reload
    inside systemctl start "user@$id.service"
    mkdir "$machine_cgroup/user.slice/user-$id.slice/user@$id.service/session"
}

# as COMMAND...: as the user, in a session
as() {
    in_session $id env -i PATH=/usr/bin:/usr/sbin HOME=$home XDG_RUNTIME_DIR=/run/user/$id DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$id/bus \
        DOCKER_HOST=unix:///run/user/$id/docker.sock setpriv --reuid $id --regid $id --clear-groups -- "$@"
}

docker() { as docker "$@"; }

# docker_up DRIVER [NETWORK PORTS]: as dockerd-rootless-setuptool.sh makes it a service; systemd makes the cgroups, which is the default, or it tries itself (cgroupfs). Its network leads to the host's 127.0.0.1.
docker_up() {
    as mkdir -p $home/.config/systemd/user $home/.config/docker
    jq -c '.runtimes += {"jail-ai-crun": {path: "/usr/bin/jail-ai-crun"}}' "$sources/examples/docker/daemon.json" | as tee $home/.config/docker/daemon.json >"$lab/written"
    as tee $home/.config/systemd/user/docker.service >"$lab/written" <<UNIT
[Service]
Environment=PATH=/usr/share/docker.io/contrib:/usr/sbin:/usr/bin
Environment=DOCKERD_ROOTLESS_ROOTLESSKIT_DISABLE_HOST_LOOPBACK=false DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS=--cidr=10.1.2.0/24
Environment=DOCKERD_ROOTLESS_ROOTLESSKIT_NET=${2-slirp4netns} DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER=${3-builtin}
ExecStart=/usr/share/docker.io/contrib/dockerd-rootless.sh --storage-driver vfs --exec-opt native.cgroupdriver=$1
Type=notify
NotifyAccess=all
Delegate=yes
UNIT
    as systemctl --user daemon-reload
    if as systemctl --user restart docker 2>"$lab/docker.err"; then return; fi
    inside journalctl --sync
    not_ok "a user's Docker starts: $*" "$(inside journalctl --output=cat | grep -v -e '^+' -e level=info | tail -n 8)"
    return 1
}

# tried OPTION...: what TCP to the host, to the host's loopback and to the internet gives, or why docker doesn't start it
tried() {
    docker run --rm "$@" lab /probe tcp "$host_v4" "$port" -- tcp $user_gateway "$port" -- tcp "$internet_v4" "$port" >"$lab/docker.out" 2>"$lab/docker.err" || :
    if grep -q '^tcp' "$lab/docker.out"; then awk '{ print $NF }' "$lab/docker.out" | paste -sd ' '; else paste -sd ' ' "$lab/docker.err"; fi
}

# more: the same by another process in the container "agent"
more() {
    docker exec agent /probe tcp "$host_v4" "$port" -- tcp $user_gateway "$port" -- tcp "$internet_v4" "$port" | awk '{ print $NF }' | paste -sd ' '
}

# published COMMAND...: what it gives at the published port, once pasta has found that, for which it looks every second
published() {
    local attempt got
    for ((attempt = 0; attempt < 600; attempt++)); do
        got=$("$@" 2>&1) || :
        [ "$got" = ECONNREFUSED ] || break
        sleep 0.05
    done
    echo "$got"
}

cgroup_of_agent() { inside sed -n "s|^0::|$machine_cgroup|p" "/proc/$(docker inspect --format '{{.State.Pid}}' agent)/cgroup"; }

explained() { inside jail-ai-hook explain --container "$(docker inspect --format '{{.Id}}' agent)" "$1" | head -n 1; }

annotated=(--annotation jail-ai.block-host=true)
open='reached reached reached' closed='EPERM EPERM reached'

one_container() {
    local name=$1 cgroup
    shift
    equal "$name, without an annotation: reaches the host" "$open" "$(tried "$@")"
    equal "$name: the host is denied, the internet is not" "$closed" "$(tried "$@" "${annotated[@]}")"
    matches "$name, a mistyped value: docker shows why" "rejected: .*jail-ai.block-host: 'yes': expected" "$(tried "$@" --annotation jail-ai.block-host=yes)"
    matches "$name, privileged: docker shows why" 'rejected: .*CAP_SYS_ADMIN' "$(tried "$@" "${annotated[@]}" --privileged)"
    equal "$name, an exception" 'reached EPERM reached' "$(tried "$@" "${annotated[@]}" --annotation "jail-ai.block-host.allow=$host_v4:$port")"
    equal "$name, the network of the engine" "$closed" "$(tried "$@" "${annotated[@]}" --network host)"
    if ! docker run --detach --name agent "$@" "${annotated[@]}" --publish 8400:$own_port lab /probe listen tcp 0.0.0.0 $own_port hello >"$lab/docker.out" 2>&1; then
        not_ok "$name: starts" "$(<"$lab/docker.out")"
        return
    fi
    equal "$name: docker exec is in the jail" "$closed" "$(more)"
    cgroup=$(cgroup_of_agent)
    equal "$name: both are counted" 2 "$(denials "$cgroup" | awk '$1 != "multicast" { sum += $2 } END { print sum }')"
    equal "$name: the programs are on its cgroup and nowhere else" "$(programs "$cgroup" | grep -v '^jail_abs_')" "$(attached_anywhere)"
    matches "$name: DNS of its network is allowed" 'allowed' "$(explained $user_resolver:53/udp)"
    matches "$name: the user is told why the host is denied" "^$host_v4:$port/tcp: denied" \
        "$(as jail-ai-hook explain --container "$(docker inspect --format '{{.Id}}' agent)" "$host_v4:$port" 2>&1 | head -n 1)"
    matches "$name: and that the internet is not" "^$internet_v4:$port/tcp: allowed" \
        "$(as jail-ai-hook explain --container "$(docker inspect --format '{{.Id}}' agent | head -c 12)" "$internet_v4:$port" 2>&1 | head -n 1)"
    matches "$name: what has no jail of theirs is said to have none" 'has no jail' "$(as jail-ai-hook explain --container 0123456789ab "$host_v4:$port" 2>&1)"
    equal "$name: verify finds it jailed" 'containers that must be jailed: 1; jailed: 1' "$(inside jail-ai-hook verify 2>&1)"
    equal "$name: its published port answers the internet" reached "$(published ip netns exec internet "$build/tests/probe" tcp $host_v4 8400)"
    equal "$name: and the host" reached "$(published "$build/tests/probe" tcp 127.0.0.1 8400)"
    docker restart --time 0 agent >"$lab/restarted"
    equal "$name, restarted: it is in a jail" "$closed" "$(more)"
    docker rm --force agent >"$lab/removed"
    equal "$name, removed: nothing is attached" '' "$(attached_anywhere)"
}

# The user's containers that are in no jail although they ask for one, as verify has it.
unjailed() {
    docker run --detach --name agent --runtime runc "${annotated[@]}" lab /probe listen tcp 0.0.0.0 $own_port hello >"$lab/docker.out"
    matches "$name, Docker's own runtime: annotations mean nothing to it, and verify finds that" 'must be jailed: 1; jailed: 0' "$(inside jail-ai-hook verify 2>&1 | paste -sd ' ')"
    docker rm --force agent >"$lab/removed"
}

# What root writes down holds for users' engines that run already, too.
machine_settings() {
    echo 'block-host = true' >"$machine/etc/jail-ai-hook.conf"
    equal "$name, settings of the machine: jailed without an annotation" "$closed" "$(tried --runtime jail-ai)"
    docker_up systemd
    equal "$name, the same, for an engine that was started after that" "$closed" "$(tried --runtime jail-ai)"
    rm "$machine/etc/jail-ai-hook.conf"
}

broker_away() {
    inside systemctl stop jail-ai-hook.socket jail-ai-hook.service
    matches "$name, without the broker: docker shows why" 'rejected: .*jail-ai-hook.socket' "$(tried --runtime jail-ai "${annotated[@]}")"
    equal "$name, the same: what doesn't ask starts" "$open" "$(tried --runtime jail-ai)"
    inside systemctl start jail-ai-hook.socket
    equal "$name, with it again" "$closed" "$(tried --runtime jail-ai "${annotated[@]}")"
}

judge() {
    local name
    user_up
    inside systemctl start jail-ai-hook.socket
    docker_up systemd
    tar -C "$lab/rootfs" --exclude ./run/jail-ai-hook.md -c . | docker import - lab >"$lab/import"
    name="Docker $(docker version --format '{{.Server.Version}}'), rootless"
    one_container "$name, runc" --runtime jail-ai
    one_container "$name, crun" --runtime jail-ai-crun
    unjailed
    broker_away
    machine_settings
    if docker_up systemd pasta implicit; then one_container "$name, pasta, runc" --runtime jail-ai; fi
    docker_up cgroupfs
    equal "$name, which doesn't ask systemd for cgroups: the same" "none $closed" "$(docker info --format '{{.CgroupDriver}}') $(tried --runtime jail-ai "${annotated[@]}")"
}

on_machines "a user's Docker"
finish
