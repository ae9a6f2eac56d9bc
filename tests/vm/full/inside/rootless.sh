#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# An ordinary user logs in and types "podman run": jailed by way of the broker's installed units, from the first instruction of the container's
# process to exec and restart; and told what to enable, or what doesn't hold, where there is no jail to be had.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

everybody=$lab
lab=/home/$user/lab # the user's own files
rootfs=$lab/rootfs
mkdir "$lab"
cp -a "$everybody/rootfs" "$rootfs"
chown -R "$user:$user" "$lab"

engine() {
    local runtime=$1
    shift
    login podman --log-level error --runtime "$runtime" "$@"
}

last_words() { awk 'NF { print $NF }' | paste -sd ' '; }

# What a rootless container reaches of the host, whatever network it has: pasta gives it the host's first address for its own.
slow=30000 # milliseconds
tries=(tcp "$host_second_v4" "$port" "$slow" -- udp "$host_second_v4" "$port" "$slow" -- tcp "$metadata_v4" "$port" "$slow" --
    tcp "$internet_v4" "$port" "$slow" -- udp "$internet_v4" "$port" "$slow")
reached='reached reached reached reached reached' blocked='EPERM EPERM EPERM reached reached'

all_programs='jail_bpf jail_connect4 jail_connect6 jail_create jail_egress jail_ingress jail_receive jail_sendmsg4 jail_sendmsg6 jail_socket jail_unix_conn jail_unix_send'

# run_as_typed RUNTIME OPTION...
run_as_typed() {
    local runtime=$1
    shift
    engine "$runtime" run --rm "$@" --rootfs "$rootfs" /probe "${tries[@]}" 2>&1 | last_words
}

# refused NAME RUNTIME STATUS REASON OPTION...
refused() {
    local name="$1, $2" runtime=$2 status=$3 reason=$4 words podman_status=0
    shift 4
    journal >/dev/null
    words=$(engine "$runtime" "$@" 2>&1) || podman_status=$?
    equal "$name: podman fails with 126" 126 "$podman_status"
    matches "$name: podman shows the exit status, and nothing has run" "(exit code: |exit status )$status" "$words"
    matches "$name: the journal has the reason and what to do" "$reason" "$(journal)"
}

check() {
    local runtime=$1 name="rootless $1" cgroup inode
    equal "$name: without a jail everything is reached" "$reached" "$(run_as_typed "$runtime")"
    equal "$name: in a jail only the internet" "$blocked" "$(run_as_typed "$runtime" "${jailed[@]}")"
    equal "$name: without a jail vsock opens" 'vsock open' "$(engine "$runtime" run --rm --rootfs "$rootfs" /family vsock 2>&1)"
    # podman's stage precreate, which is the user's, can't know of the broker's guard, and takes the families away itself.
    equal "$name: in a jail no network hook is passed by" 'tcp open packet EAFNOSUPPORT vsock EAFNOSUPPORT' \
        "$(engine "$runtime" run --rm "${jailed[@]}" --rootfs "$rootfs" /family tcp packet vsock 2>&1 | paste -sd ' ')"
    equal "$name: without that stage the guard refuses them" 'tcp open packet EPERM vsock EPERM' "$(login podman --log-level error --runtime "$runtime" \
        --hooks-dir /usr/share/containers/oci/hooks.d run --rm "${jailed[@]}" --rootfs "$rootfs" /family tcp packet vsock 2>&1 | paste -sd ' ')"
    equal "$name: keep-id, in a jail only the internet" "$blocked" "$(run_as_typed "$runtime" "${jailed[@]}" --userns=keep-id)"

    engine "$runtime" run --detach --name lived --pidfile "$lab/lived.pid" "${jailed[@]}" --rootfs "$rootfs" /bin/busybox sleep 100000 >"$lab/lived.id"
    cgroup=$(cgroup_of lived)
    inode=$(stat --format %i "$cgroup")
    matches "$name: it has a cgroup below the user's service manager" '/user@1000.service/.*libpod-' "$cgroup"
    equal "$name: the guard is attached with the rest" "$all_programs" "$(programs "$cgroup" | paste -sd ' ')"
    equal "$name: a process by exec is jailed" "$blocked" "$(engine "$runtime" exec lived /probe "${tries[@]}" 2>&1 | last_words)"
    equal "$name: its denials are counted" 'local 2|metadata 1' "$(denials "$cgroup" | paste -sd '|')"
    systemctl daemon-reload
    login systemctl --user daemon-reload
    equal "$name: systemd leaves the jail alone" "$blocked" "$(engine "$runtime" exec lived /probe "${tries[@]}" 2>&1 | last_words)"
    engine "$runtime" restart --time 0 lived >"$lab/restarted" 2>&1
    cgroup=$(cgroup_of lived)
    equal "$name: after restart a process by exec is jailed" "$blocked" "$(engine "$runtime" exec lived /probe "${tries[@]}" 2>&1 | last_words)"
    equal "$name: after restart it is a new jail" 'yes local 2|metadata 1' \
        "$([ "$(stat --format %i "$cgroup")" = "$inode" ] || echo yes) $(denials "$cgroup" | paste -sd '|')"
    remove "$runtime" lived
}

equal 'the socket is installed and not enabled' disabled "$(systemctl is-enabled jail-ai-hook.socket 2>&1)"
for runtime in crun runc; do
    refused 'without the socket' "$runtime" 69 'systemctl enable --now jail-ai-hook.socket' run --rm "${jailed[@]}" --rootfs "$rootfs" /probe "${tries[@]}"
done
systemctl enable --now jail-ai-hook.socket 2>"$everybody/enabled"
for runtime in crun runc; do check "$runtime"; done
if [ "$release" = 12 ]; then
    refused 'without a cgroup of its own' crun 78 'holds process [0-9]+, not only the container' --cgroup-manager cgroupfs run --rm "${jailed[@]}" \
        --rootfs "$rootfs" /probe "${tries[@]}"
fi
equal 'no request has failed in a way that systemd knows of' '' "$(systemctl list-units --all --plain --no-legend --state failed 'jail-ai-hook.*')"
systemctl disable --now jail-ai-hook.socket 2>>"$everybody/enabled"
rm -rf "$lab"
finish
