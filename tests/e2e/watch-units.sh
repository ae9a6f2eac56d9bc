#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# watch and verify as systemd starts them, by the installed units, on Debian 12's systemd and Debian 13's: they do what the same verbs do at a shell, and no
# system call that they need is refused by their units. $machine_trees, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=machine.sh
. "$lib/machine.sh"

watch=jail-ai-hook-watch.service verify=jail-ai-hook-verify.service
agent=/sys/fs/cgroup/system.slice/agent.service # as the machine sees it
new_v4=192.0.2.21 later_v4=192.0.2.22

# tried ADDRESS: what TCP to it gives in the agent's cgroup and network
tried() {
    local pid
    pid=$(inside systemctl show --property MainPID --value agent.service)
    # shellcheck disable=SC2016 # bash expands it
    inside bash -c 'echo $$ >"$0/cgroup.procs" && exec nsenter --target "$1" --net -- /probe tcp "$2" "$3"' "$agent" "$pid" "$1" "$port" 2>&1
}

# brought ADDRESS: the jail that watch has brought up to date for it, once it says so of the agent's; one of an earlier agent may be there until the kernel has freed it
brought() {
    local attempt
    for ((attempt = 0; attempt < 1500; attempt++)); do
        inside journalctl --sync
        if inside journalctl --quiet --output cat --unit $watch --grep "^container agent\.service: brought up to date: .*\+ ${1//./\\.}" >"$lab/brought"; then break; fi
        sleep 0.02
    done
    cut -d : -f 1 "$lab/brought" | sort -u
}

# verified: how the service of verify ends, and what it says; of a process that has ended already, the journal may not know whose lines they are
verified() {
    local status=0
    inside systemctl start $verify 2>"$lab/started" || status=$?
    inside journalctl --sync
    echo "$status $(inside systemctl show --property Result --value $verify) $(inside journalctl --quiet --output cat --identifier jail-ai-hook _TRANSPORT=stdout \
        "_SYSTEMD_INVOCATION_ID=$(inside systemctl show --property InvocationID --value $verify)" | paste -sd '|')"
}

judge() {
    local name version address
    version=$(inside systemctl --version | awk 'NR == 1 { print $2 }')
    name="systemd $version"
    cp "$build/tests/probe" "$machine/probe"
    inside systemd-run --quiet --unit agent --service-type exec --property PrivateNetwork=yes --property User=nobody --property CapabilityBoundingSet= --property NoNewPrivileges=yes \
        --property 'TemporaryFileSystem=/sys /run' --property 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK' sleep infinity
    matches "$name: a service is jailed" ' jailed: denies [0-9]+ prefixes' "$(inside jail-ai-hook attach --cgroup $agent --accept='host-pid host-cgroups' 2>&1)"
    matches "$name: verify finds nothing" '^0 success ' "$(verified)"

    ip address add $new_v4/32 dev lo
    equal "$name: without watch a new address is not denied" ENETUNREACH "$(tried $new_v4)"
    matches "$name: verify finds that, and fails" '^1 exit-code .*agent.*: its rules are out of date, so that it reaches 192.0.2.21' "$(verified)"
    inside systemctl start $watch
    equal "$name: watch brings the jail up to date" 'container agent.service' "$(brought $new_v4)"
    equal "$name: and the address is denied" EPERM "$(tried $new_v4)"
    ip address add $later_v4/32 dev lo
    equal "$name: so it does for another" 'container agent.service' "$(brought $later_v4)"
    equal "$name: which is denied as well" EPERM "$(tried $later_v4)"
    equal "$name: watch runs, and has not had to be started again" 'active running 0' \
        "$(for property in ActiveState SubState NRestarts; do inside systemctl show --property $property --value $watch; done | paste -sd ' ')"
    matches "$name: verify finds nothing any more" '^0 success ' "$(verified)"
    inside systemctl stop $watch agent.service
    for address in $new_v4 $later_v4; do ip address delete "$address/32" dev lo; done

    inside systemctl start jail-ai-hook.socket jail-ai-hook.service $watch jail-ai-hook-verify.timer
    ln -sf bash "$machine/usr/bin/sh" # which its package's scripts would have made
    equal "$name: all of it can be removed while it runs" 0 "$(inside sh /usr/share/jail-ai-hook/uninstall >"$lab/removed" 2>&1; echo $?)"
    equal "$name: and then systemd lists no unit of it, nor one that failed" '' "$(inside systemctl list-units --all --plain --no-legend 'jail-ai-hook*')"
}

on_machines "watch and verify by another Debian's systemd"
finish
