#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Routes that no network hook sees, out of containers as people start them: each gets through without a jail, and none with it. The jail's own
# counters say that it was the jail, and what is the container's own still works.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

# Whether podman gives CAP_NET_RAW without being asked differs by its version and settings.
raw=no
capabilities=$(engine runc run --rm --network none --rootfs "$whole" /bin/busybox sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
[ $((16#$capabilities >> 13 & 1)) = 0 ] || raw=yes

# DEVICE is where frames leave by, RAW whether it may send them, BPF who keeps bpf(2) from it: nobody, the kernel, or podman's seccomp profile.
shapes=$(
    cat <<TABLE
# NAME      NETWORK  DEVICE  RAW   BPF      ACCEPT                                                                  OPTION
default     bridge   eth0    $raw  seccomp  -                                                                       --network=bridge
none        none     lo      $raw  seccomp  -                                                                       --network=none
host        host     uplink  $raw  seccomp  -                                                                       --network=host
privileged  bridge   eth0    yes   nobody   cap_net_admin,cap_bpf,cap_sys_admin,cap_dac_read_search,cap_sys_module  --privileged
net-raw     bridge   eth0    yes   seccomp  -                                                                       --cap-add=net_raw
unconfined  bridge   eth0    $raw  kernel   -                                                                       --security-opt=seccomp=unconfined
TABLE
)

# ways NAME NETWORK DEVICE RAW BPF: a line each: WAY ARGUMENT...|RESULT without a jail|RESULT in a jail|REASON that counts it
ways() {
    local frame=sent bpf=EPERM counted=bpf
    [ "$4" = yes ] || frame=EPERM
    [ "$5" != nobody ] || bpf=reached
    [ "$5" != seccomp ] || counted=
    cat <<TABLE
vsock|reached|EPERM|family
frame $3 $1|$frame|EPERM|family
received packet|reached|withheld|inherited-socket
received vsock|reached|withheld|inherited-socket
received unix|reached|reached|
bpf|$bpf|EPERM|$counted
own-abstract|reached|reached|
TABLE
    # The host's loopback is not the container's own.
    [ "$2" = host ] || echo 'own-loopback|reached|reached|'
    if [ "$2" = none ]; then
        echo "tcp $host_v4|ENETUNREACH|EPERM|local"
        return
    fi
    cat <<TABLE
received udp $host_v4|reached|withheld|inherited-socket
received tcp $host_v4|reached|withheld|inherited-socket
own-handed $internet_v4|reached|reached|
tcp $internet_v4|reached|reached|
tcp $host_v4|reached|EPERM|local
TABLE
    [ "$2" = host ] || return 0
    cat <<TABLE
tcp 127.0.0.1|reached|EPERM|loopback
abstract-stream|reached|ECONNREFUSED|abstract-unix
abstract-datagram|reached|ECONNREFUSED|abstract-unix
TABLE
}

# frame WORD: whether one with it has arrived at the host
frame() {
    if grep -qx "$1" "$lab/host/frames"; then echo arrived; else echo none; fi
}

awaited_frame() {
    local attempt
    for ((attempt = 0; attempt < 100; attempt++)); do
        [ "$(frame "$1")" = none ] || break
        sleep 0.1
    done
    frame "$1"
}

# said WAY WORDS
said() { sed -n "s|^$1 ||p" <<<"$2"; }

# try_all NAME OPTION...: what /attempt says goes to $lines
try_all() {
    : >"$lab/host/frames"
    rootfs=$whole start "$@" "${giver[@]}" -- /attempt "${arguments[@]:1}"
}

check() {
    local shape=$1 name="$1, $runtime" device=$3 raw=$4 accept=$6 option=$7 table arguments=() annotations=("${jailed[@]}") before way words without with
    table=$(ways "$1" "$2" "$3" "$4" "$5")
    while IFS='|' read -r way _; do
        read -ra words <<<"$way"
        arguments+=(-- "${words[@]}")
    done <<<"$table"
    if ! try_all before "$runtime" "$option"; then
        not_ok "$name: starts without a jail" "$lines$(why before)"
        return
    fi
    before=$lines
    if [ "$raw" = yes ] && [ "$device" != lo ]; then equal "$name: without a jail the frame arrives at the host" arrived "$(awaited_frame "$shape")"; fi
    equal "$name: without a jail nothing is attached" '' "$(programs "$(cgroup_of before)")"
    remove "$runtime" before

    [ "$accept" = - ] || annotations+=(--annotation "jail-ai.block-host.accept=${accept//,/ }")
    if ! try_all after "$runtime" "$option" "${annotations[@]}"; then
        not_ok "$name: starts in a jail" "$lines$(why after)$(journal)"
        return
    fi
    equal "$name: each denial is counted, and nothing else" "$(cut -d '|' -f 4 <<<"$table" | sed '/^$/d' | sort | uniq -c | awk '{ print $2, $1 }')" \
        "$(denials "$(cgroup_of after)")"
    equal "$name: no frame arrives at the host from a jail" none "$(frame "$shape")"
    remove "$runtime" after
    while IFS='|' read -r way without with _; do
        equal "$name: $way is $without without a jail and $with in it" "$without $with" "$(said "$way" "$before") $(said "$way" "$lines")"
    done <<<"$table"
}

for runtime in crun runc; do
    while read -r name network device may_frame may_bpf accept option; do
        case $name in '#'*) ;; *) check "$name" "$network" "$device" "$may_frame" "$may_bpf" "$accept" "$option" ;; esac
    done <<<"$shapes"
done
finish
