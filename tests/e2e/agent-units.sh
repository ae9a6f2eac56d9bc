#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A service, and a container of systemd-nspawn, that can't reach their host, by the examples, as Debian 12's systemd and Debian 13's run them. The service takes
# PrivatePIDs= and DelegateSubgroup=, which Debian 12's does not have: there it is stopped. $unit_trees, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=machine.sh
. "$lib/machine.sh"

# shellcheck disable=SC2034 # for on_machines
machine_trees=${unit_trees-}
sources=$(readlink -f "$lib/../..")
service=agent.service
nspawn=systemd-nspawn@agent.service nspawn_host=192.168.77.1 nspawn_own=192.168.77.2

# drop_in UNIT [LINE]...: the lines are its service's; without any, it stands as it is
drop_in() {
    local unit=$1
    shift
    rm -rf "$machine/run/systemd/system/$unit.d"
    if [ $# -gt 0 ]; then
        mkdir -p "$machine/run/systemd/system/$unit.d"
        printf '%s\n' '[Service]' "$@" >"$machine/run/systemd/system/$unit.d/test.conf"
    fi
    inside systemctl daemon-reload
}

# cgroup_of_unit UNIT: that of its agent
cgroup_of_unit() {
    case $1 in
        "$service") echo "$machine_cgroup/system.slice/$service/agent" ;;
        "$nspawn") echo "$machine_cgroup/machine.slice/$nspawn/payload" ;;
    esac
}

# fifos DIRECTORY: by which an agent is told to try, and says what came of it
fifos() {
    mkfifo "$1/go" "$1/results"
    chmod 666 "$1/go" "$1/results"
}

# tried DIRECTORY: what TCP to the host and to the internet gives
tried() {
    # shellcheck disable=SC2016 # sh expands it
    timeout 60 sh -c 'echo >"$0/go" && exec cat "$0/results"' "$1" | awk '$1 == "tcp" { print $NF }' | paste -sd ' '
}

# tries DIRECTORY PROBE: the lines of a script
tries() {
    printf 'read -r go <%s/go\n' "$1"
    printf '%s tcp %s %s -- tcp %s %s >%s/results\n' "$2" $host_v4 "$port" $internet_v4 "$port" "$1"
}

# starts NAME UNIT
starts() {
    local said
    inside systemctl start "$2" 2>"$lab/start.err" && return
    inside journalctl --sync
    said=$(inside journalctl --unit "$2" --output=cat | tail -n 5)
    not_ok "$1: starts" "$said"
    inside systemctl reset-failed "$2"
    return 1
}

# stopped NAME UNIT: and nothing is left of it
stopped() {
    inside systemctl stop "$2"
    equal "$1: stopped, it has not failed" success "$(inside systemctl show --property Result --value "$2")"
    equal "$1: stopped, its cgroup has gone and no program is left" 'gone ' "$([ -e "$(dirname "$(cgroup_of_unit "$2")")" ] || echo gone) $(attached_anywhere)"
}

# rejected NAME REASON: the service
rejected() {
    equal "$1: it does not start" 1 "$(inside systemctl start $service 2>"$lab/start.err"; echo $?)"
    equal "$1: it has failed and nothing of it runs" 'failed gone ' \
        "$(inside systemctl show --property ActiveState --value $service) $([ -e "$(dirname "$(cgroup_of_unit $service)")" ] || echo gone) $(attached_anywhere)"
    inside journalctl --sync
    matches "$1: the journal says why" "$2" "$(inside journalctl --unit $service --output=cat | paste -sd ' ')"
    inside systemctl reset-failed $service
}

judge_service() {
    local name=$1 cgroup
    cgroup=$(cgroup_of_unit $service)
    fifos "$machine/run"
    cp "$build/tests/probe" "$machine/usr/bin"
    mkdir -p "$machine/usr/local/bin"
    {
        echo '#!/bin/bash'
        echo "trap 'exit 0' TERM # which the first process of a PID namespace does not get by default"
        tries /run /usr/bin/probe
        echo 'sleep infinity &'
        echo 'wait'
    } >"$machine/usr/local/bin/agent"
    chmod +x "$machine/usr/local/bin/agent"
    cp "$sources/examples/systemd/$service" "$machine/etc/systemd/system"
    drop_in $service ExecStartPost=
    starts "$name, without the jail" $service || return 0
    equal "$name, without the jail: it reaches the host" 'reached reached ' "$(tried "$machine/run") $(attached_anywhere)"
    stopped "$name, without the jail" $service
    if [ "$version" -lt 257 ]; then
        drop_in $service
        rejected "$name, which has no DelegateSubgroup=" "system.slice/$service/agent"
        return
    fi
    drop_in $service
    starts "$name" $service || return 0
    equal "$name: the host is denied, the internet is not" 'EPERM reached' "$(tried "$machine/run")"
    equal "$name: it is counted" 'local 1' "$(denials "$cgroup" | grep -v ^multicast)"
    inside systemctl restart $service
    equal "$name, restarted: the same" 'EPERM reached local 1' "$(tried "$machine/run") $(denials "$cgroup" | grep -v ^multicast)"
    stopped "$name" $service
    printf '%s\n' '[Socket]' ListenStream=/run/docker.sock >"$machine/run/systemd/system/engine.socket"
    printf '%s\n' '[Service]' ExecStart=/usr/bin/true >"$machine/run/systemd/system/engine.service"
    drop_in $service
    inside systemctl start engine.socket
    if starts "$name, where an engine listens" $service; then
        equal "$name, where an engine listens: the host is denied" 'EPERM reached' "$(tried "$machine/run")"
        stopped "$name, where an engine listens" $service
    fi
    drop_in $service InaccessiblePaths=
    rejected "$name, which reaches an engine's socket" 'engine.s socket, ./run/docker.sock'
    inside systemctl stop engine.socket
    rm "$machine/run/docker.sock"
    drop_in $service PrivatePIDs=no
    rejected "$name, among the machine's processes" 'sees processes that are not its own'
}

# start_nspawn NAME: with addresses by the test, in the place of systemd-networkd
start_nspawn() {
    local pid its=nspawn
    starts "$1" $nspawn || return
    pid=$(head -n 1 "$(cgroup_of_unit $nspawn)/cgroup.procs")
    ip link set ve-agent up
    address - ve-agent $nspawn_host/24
    ip netns attach $its "$pid"
    ip -n $its link set host0 up
    address $its host0 $nspawn_own/24
    ip -n $its route add default via $nspawn_host
    ip netns delete $its
}

judge_nspawn() {
    local name=$1 root=$machine/var/lib/machines/agent payload
    # Without D-Bus and systemd-machined, where it would be registered.
    local exec_start='ExecStart=/usr/bin/systemd-nspawn --quiet --keep-unit --boot --register=no --network-veth -U --settings=override --machine=%i'
    payload=$(cgroup_of_unit $nspawn)
    mkdir -p "$root"/{bin,usr/local/bin,etc,proc,sys,dev,run,tmp} "$machine/etc/systemd/nspawn"
    cp "$lab/rootfs/bin/busybox" "$root/bin"
    ln -s busybox "$root/bin/sh"
    cp "$build/tests/probe" "$root"
    echo ID=agent >"$root/etc/os-release"
    ln -sf bash "$machine/usr/bin/sh" # as a system has it
    fifos "$root"
    {
        echo '#!/bin/sh'
        tries '' /probe
        echo 'exec /bin/busybox sleep 1000000'
    } >"$root/usr/local/bin/agent"
    chmod +x "$root/usr/local/bin/agent"
    cp "$sources/examples/nspawn/agent.nspawn" "$machine/etc/systemd/nspawn"
    drop_in $nspawn ExecStart= "$exec_start"
    start_nspawn "$name, without the jail" || return 0
    equal "$name, without the jail: it reaches the host" 'reached reached ' "$(tried "$root") $(attached_anywhere)"
    stopped "$name, without the jail" $nspawn
    mkdir -p "$machine/etc/systemd/system/$nspawn.d"
    cp "$sources/examples/nspawn/jail.conf" "$machine/etc/systemd/system/$nspawn.d"
    inside systemctl daemon-reload
    start_nspawn "$name" || return 0
    equal "$name: the host is denied, the internet is not" 'EPERM reached' "$(tried "$root")"
    equal "$name: it is counted" 'local 1' "$(denials "$payload" | grep -v ^multicast)"
    stopped "$name" $nspawn
}

judge() {
    local version
    version=$(inside systemctl --version | awk 'NR == 1 { print $2 }')
    inside umount /proc/sys # which only a machine in the view has mounted, and for which Debian 12's nspawn could mount no /proc
    judge_service "systemd $version, a service"
    judge_nspawn "systemd $version, nspawn"
}

on_machines "services by another Debian's systemd"
finish
