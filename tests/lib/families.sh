# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Which sockets a container opens that podman has started once it has asked the hook's precreate stage, to be sourced after containers.sh and
# syslog.sh. Needs $podman, the command, $runtime, $version, for the names of cases, and $hooks, a directory with both stages.
# shellcheck disable=SC2154 # theirs
set -eu

ways=(tcp tcp6 udp udp6 unix unix-pair netlink audit alg raw packet vsock vsock-datagram vsock-pair vsock-wide vsock-io_uring
    vsock-socketcall vsock-i386 vsock-x32 tcp-socketcall xdp rds smc tipc tipc-pair)
cp "$build/tests/family" "$lab/rootfs"

# To root of the host nothing is closed that its kernel has.
declare -A has
while read -r way word; do has[$way]=$word; done < <("$lab/rootfs/family" "${ways[@]}")
for way in packet vsock xdp vsock-io_uring vsock-socketcall rds smc tipc-pair; do
    [ "${has[$way]}" = open ] || skip "the kernel shows whether it has $way" "the kernel here says ${has[$way]}"
done

# A profile that lets everything pass but netlink, podman's without packet sockets, and that again with a rule that contradicts another.
cat >"$lab/but-netlink.json" <<'PROFILE'
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]}]}
PROFILE
jq '.syscalls |= map(select(.names != ["socket"])) + [{names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 17, op: "SCMP_CMP_NE"}]}]' \
    /usr/share/containers/seccomp.json >"$lab/but-packet.json"
jq '.syscalls += [{names: ["socket"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 3, op: "SCMP_CMP_EQ"}]}]' \
    "$lab/but-packet.json" >"$lab/contradictory.json"

# OUTCOME: see expected. CONTROL: ways that are open without a jail if the kernel has them.
shapes=$(
    cat <<TABLE
# NAME               OUTCOME     CONTROL                            ACCEPT                                OPTIONS
default              closed      vsock,vsock-i386                   -                                     --pid=private
without-audit-write  closed      vsock,vsock-socketcall             -                                     --cap-drop=AUDIT_WRITE
with-net-raw         closed      raw,packet,xdp,vsock               -                                     --cap-add=NET_RAW
no-capability        closed      vsock,vsock-wide                   -                                     --cap-drop=all
user                 closed      vsock,vsock-wide                   -                                     --user=1000
unconfined           closed      vsock,vsock-io_uring               -                                     --security-opt=seccomp=unconfined
privileged           closed      packet,vsock,vsock-io_uring        cap_net_admin,cap_bpf,cap_sys_admin   --privileged
profile-but-netlink  closed      vsock,vsock-io_uring               -                                     --security-opt=seccomp=$lab/but-netlink.json
profile-but-packet   closed,own  vsock                              -                                     --security-opt=seccomp=$lab/but-packet.json
accept-cap-net-raw   closed,raw  raw,packet                         cap_net_raw                           --cap-add=NET_RAW
accept-vsock         no-raw      raw,packet,vsock                   vsock                                 --cap-add=NET_RAW
accept-ia32          ia32        vsock,vsock-socketcall             ia32                                  --cap-add=NET_RAW
ia32,unconfined      no-raw      vsock-io_uring,vsock-socketcall    ia32                                  --security-opt=seccomp=unconfined
accept-both          as-before   raw,packet,vsock                   cap_net_raw,vsock                     --cap-add=NET_RAW
TABLE
)

# expected OUTCOME WAY BEFORE: what the way says in a jail that says BEFORE without one
expected() {
    case $1,$2 in
        as-before,* | *,tcp | *,tcp6 | *,udp | *,udp6 | *,unix | *,unix-pair | *,netlink | *,audit | *,alg) echo "$3" ;;
        closed,raw,raw | closed,own,packet) echo "$3" ;;
        *,raw | no-raw,packet | no-raw,xdp) echo EPERM ;;
        no-raw,* | ia32,*-socketcall) echo "$3" ;;
        *,vsock-io_uring) echo ENOSYS ;;
        closed*,*-socketcall | closed*,vsock-i386 | closed*,vsock-x32) echo SIGSYS ;;
        *) echo EAFNOSUPPORT ;;
    esac
}

words() { paste -sd ' '; }

# open_ways OPTION...: by $runtime
open_ways() {
    finds_hooks '' || return
    "${podman[@]}" --log-level error --runtime "$runtime" --hooks-dir "$hooks" run --rm --network none "$@" --rootfs "$lab/rootfs" \
        /family "${ways[@]}" 2>&1
}

# What a container says without a jail, to which the runtime is the same: asked once.
declare -A without_jail
check_shape() {
    local name="$1, $version" outcome=$2 control=$3 accept=$4 options annotations=("${jailed[@]}") before after way word wanted
    read -ra options <<<"$5"
    [ "$accept" = - ] || annotations+=(--annotation "jail-ai.block-host.accept=${accept//,/ }")
    [ -n "${without_jail[$5]-}" ] || without_jail[$5]=$(open_ways --annotation jail-ai.block-host=false "${options[@]}")
    before=${without_jail[$5]}
    logged "$name" >"$lab/logged"
    after=$(open_ways "${annotations[@]}" "${options[@]}")
    logged "$name" >"$lab/logged"
    wanted=$(for way in ${control//,/ }; do echo "$way ${has[$way]}"; done | words)
    equal "$name: without a jail they are open" "$wanted" "$(for way in ${control//,/ }; do grep "^$way " <<<"$before" || echo "no $way"; done | words)"
    wanted=$(while read -r way word; do echo "$way $(expected "$outcome" "$way" "$word")"; done <<<"$before")
    equal "$name: in a jail no socket opens that nobody checks" "$(words <<<"$wanted")" "$(words <<<"$after")"
    case $outcome in
        closed*) matches "$name: syslog says what was dropped" '<30>[^|]*dropped: [^|]*sockets of other families' "$(<"$lab/logged")" ;;
        *) equal "$name: syslog warns of what was left" "${accept//,/ }" "$(sed -n 's/^<28>.*left open: .* as accepted by //p' "$lab/logged" | words)" ;;
    esac
}

check_shapes() {
    local name outcome control accept options
    while read -r name outcome control accept options; do
        case $name in '#'*) ;; *) check_shape "$name" "$outcome" "$control" "$accept" "$options" ;; esac
    done <<<"$shapes"
}

# podman_refuses NAME STATUS REASON OPTION...: before anything of the container runs
podman_refuses() {
    local name="$1, $version" status=$2 reason=$3 podman_status=0 words
    shift 3
    words=$(open_ways "$@") || podman_status=$?
    equal "$name: podman fails with 126" 126 "$podman_status"
    matches "$name: podman shows the exit status, and nothing has run" "^[^|]*exit status $status\$" "${words//$'\n'/|}"
    matches "$name: syslog has one line, an error with the reason" "^<27>[^|]*${reason}[^|]*\$" "$(logged "$name" | paste -sd '|')"
}

check_podman() {
    check_shapes
    podman_refuses 'a mistyped annotation' 65 'jail-ai.block-host' --annotation jail-ai.block-host=yes
    podman_refuses 'a profile that contradicts itself' 78 'linux.seccomp: socket: .*accept=vsock' "${jailed[@]}" --security-opt "seccomp=$lab/contradictory.json"
    matches "$version: a profile that contradicts itself starts where the families are accepted" 'vsock open' \
        "$(open_ways "${jailed[@]}" --annotation jail-ai.block-host.accept=vsock --security-opt "seccomp=$lab/contradictory.json" | words)"
    logged "$version" >"$lab/logged"
}
