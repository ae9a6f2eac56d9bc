#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A container that holds the means to go round the block is refused, in words that say which setting gives them and how to do without.
# Who accepts the risk by name gets the container, jailed as far as that goes, and a warning in syslog. Settings that look alike and are
# harmless make no fuss.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=refusal.sh
. "$lib/refusal.sh"

mkdir -p "$lab/folder" "$lab/elsewhere" /run/podman
engine_sockets=(/run/podman/podman.sock "$lab/elsewhere/docker.sock")
for socket in "${engine_sockets[@]}"; do ready "$build/tests/probe" listen log "$socket"; done
ln -s "${engine_sockets[0]}" "$lab/folder/link"
# What another user can do so that a folder looks like one with an engine's socket: a link in that user's own runtime directory, and a socket that was
# bound where such a link is now.
mkdir -p "$lab/named" "$lab/moved" /run/user/4242
ready "$build/tests/probe" listen log "$lab/moved/docker.sock"
mv "$lab/moved" "$lab/was"
ln -s "$lab/named" "$lab/moved"
ln -s "$lab/named" /run/user/4242/podman

# What is not mounted read-only, it uses to leave its cgroup.
cat >"$lab/rootfs/leave" <<'SCRIPT'
#!/bin/sh
for cgroups in /sys/fs/cgroup /cgroups; do
    /bin/busybox mkdir "$cgroups/inner"
    for cgroup in "$cgroups" "$cgroups/inner" "$cgroups/init"; do echo 0 >"$cgroup/cgroup.procs"; done
done 2>/dev/null
exec "$@"
SCRIPT
chmod +x "$lab/rootfs/leave"

# GIFT is what podman has as descriptor 3. The message names all RISKS in a setting to paste; SETTING and REMEDY must be in it.
risky=$(
    cat <<TABLE
# NAME                  GIFT       RISKS                                           SETTING                        REMEDY                OPTIONS
cap-net-admin           -          cap_net_admin                                   CAP_NET_ADMIN                  --cap-drop=NET_ADMIN  --cap-add=NET_ADMIN
cap-bpf                 -          cap_bpf                                         CAP_BPF                        --cap-drop=BPF        --cap-add=BPF
cap-sys-admin           -          cap_sys_admin                                   CAP_SYS_ADMIN                  --cap-drop=SYS_ADMIN  --cap-add=SYS_ADMIN
privileged              -          cap_net_admin,cap_bpf,cap_sys_admin             CAP_NET_ADMIN                  not.--privileged      --privileged
bounding-set-alone      -          cap_net_admin,cap_bpf,cap_sys_admin             CAP_NET_ADMIN                  not.--privileged      --privileged --user=1000
cgroups                 -          host-cgroups                                    '/cgroups':.'/sys/fs/cgroup'   don't.mount           -v /sys/fs/cgroup:/cgroups:rw
some-cgroups            -          host-cgroups                                    '/sys/fs/cgroup/init'          don't.mount           -v /sys/fs/cgroup/init:/cgroups
sys                     -          host-cgroups                                    '/folder/fs/cgroup':.'/sys/fs/cgroup' don't.mount           -v /sys:/folder
all-files               -          host-cgroups,host-pid,engine-socket             '/folder/sys/fs/cgroup':.'/sys/fs/cgroup' don't.mount           -v /:/folder
host-cgroupns           -          host-cgroups                                    writable.cgroup.file.system    --cgroupns=private    --cgroupns=host --security-opt=unmask=/sys/fs/cgroup
host-cgroupns,systemd   -          host-cgroups                                    '/sys/fs/cgroup'               --cgroupns=private    --cgroupns=host --systemd=always
privileged,all-of-host  -          cap_net_admin,cap_bpf,cap_sys_admin,host-cgroups,host-pid CAP_NET_ADMIN        not.--privileged      --privileged --cgroupns=host --pid=host
host-pid                -          host-pid                                        not.its.own                     no.--pid=host         --pid=host
container-pid           -          host-pid                                        not.its.own                     no.--pid=host         --pid=container:peer
file-handles            -          cap_dac_read_search                             CAP_DAC_READ_SEARCH             cap-drop              --cap-add=DAC_READ_SEARCH
module                  -          cap_sys_module                                  CAP_SYS_MODULE                  cap-drop              --cap-add=SYS_MODULE
procfs                  -          host-pid                                        /proc                           don.t.mount.it        --volume=/proc:/x
podman-socket           -          engine-socket                                   podman.sock                    don't.mount           -v ${engine_sockets[0]}:/socket
podman-socket's-folder  -          engine-socket                                   podman.sock                    don't.mount           -v /run/podman:/folder
run                     -          engine-socket                                   podman.sock                    don't.mount           -v /run:/folder
docker-socket,wherever  -          engine-socket                                   docker.sock                    don't.mount           -v ${engine_sockets[1]}:/socket
link-to-podman-socket   -          engine-socket                                   podman.sock                    don't.mount           -v $lab/folder/link:/socket
directory               directory  inherited-sockets                               descriptor.3.is.a.directory     --preserve-fds        --preserve-fds=1
cgroup-file             cgroup-file inherited-sockets                              cgroup.file.system              --preserve-fds        --preserve-fds=1
inet-socket             inet       inherited-sockets                               descriptor.3.is.an.inet.socket --preserve-fds        --preserve-fds=1
inet6-socket            inet6      inherited-sockets                               inet6.socket                   --preserve-fds        --preserve-fds=1
netlink-socket          netlink    inherited-sockets                               netlink.socket                 --preserve-fds        --preserve-fds=1
packet-socket           packet     inherited-sockets                               packet.socket                  --preserve-fds        --preserve-fds=1
vsock-socket            vsock      inherited-sockets                               vsock.socket                   --preserve-fds        --preserve-fds=1
socket-activation       activation inherited-sockets                               descriptor.3.is.an.inet.socket socket.activation     --pid=private
socket-beside-publish   inet       inherited-sockets                               descriptor.3.is.an.inet.socket --preserve-fds        --preserve-fds=1 --network=dual --publish=8410:4100
TABLE
)

harmless=$(
    cat <<TABLE
# NAME                           GIFT  OPTIONS
no-capabilities                  -     --cap-drop=all
asks-for-raw-sockets             -     --cap-add=NET_RAW
some-folder                      -     -v $lab/folder:/folder
engine-socket's-name-for-a-file  -     -v $lab/id:/docker.sock
folder-that-strangers-have-named -     -v $lab/named:/folder
cgroups-to-read                  -     -v /sys/fs/cgroup:/cgroups:ro
host-cgroupns-to-read            -     --cgroupns=host
cgroups-of-its-own               -     --systemd=always
pipe                             pipe  --preserve-fds=1
file                             file  --preserve-fds=1
unix-socket                      unix  --preserve-fds=1
socket-that-is-not-handed-on     inet  --pid=private
published-port                   -     --network=dual --publish=8410:4100
published-port-beside-a-pipe     pipe  --network=dual --publish=8410:4100 --preserve-fds=1
TABLE
)
: >"$lab/id"

# take OPTIONS: the row's options for podman go to the array options, with a network
take() {
    read -ra options <<<"$1"
    case $1 in *--network=*) ;; *) options+=(--network ns:/run/netns/side) ;; esac
}

# words GIFT RUNTIME OPTION... -- COMMAND...: the results that a container's probes print
words() {
    local gift=${1#-} runtime=$2 options=()
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    engine "$runtime" run --rm "${options[@]}" --rootfs "$lab/rootfs" "$@" 2>&1 | awk '{ print $NF }' | paste -sd ' '
}

# A listening socket from outside is a way to the host, which is why it is a risk.
probes_for() {
    echo tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port"
    case $1 in
        inet | activation) echo -- inherited "$host_v4" "$port" ;;
        inet6) echo -- inherited "$host_v6" "$port" ;;
    esac
}

# setting_for RISKS: what accepts them, as the message has it. Without precreate it can open packet sockets besides, unless it has no CAP_NET_RAW.
setting_for() { echo "jail-ai.block-host.accept='?${1//,/ }( cap_net_raw)?'?"; }

check_risky() {
    local name=$1 gift=$2 risks=$3 setting=$4 remedy=$5 options probes way=''
    take "$6"
    if [ "$gift" = vsock ] && ! "$lib/give" vsock true 2>"$lab/vsock.err"; then
        skip "$name, $runtime" "$(tail -n 1 "$lab/vsock.err")"
        return
    fi
    mapfile -t probes < <(probes_for "$gift" | tr ' ' '\n')
    [ ${#probes[@]} -eq 7 ] || way=' reached'
    gift=${gift#-} refused "$name" "$runtime" 78 "$setting.*$remedy.*$(setting_for "$risks")" \
        "${jailed[@]}" "${options[@]}"

    equal "$name, $runtime: accepted by name it starts, jailed" "EPERM reached$way" \
        "$(words "$gift" "$runtime" "${jailed[@]}" --annotation "jail-ai.block-host.accept=${risks//,/ }" "${options[@]}" -- /probe "${probes[@]}")"
    messages=$(logged "$name")
    equal "$name, $runtime: syslog warns of what was accepted" "${risks//,/ }" \
        "$(sed -n 's/^<28>.*accepted risk \([^:]*\):.*/\1/p' <<<"$messages" | uniq | paste -sd ' ')"
    matches "$name, $runtime: it names the setting" "$setting" "$(sed -n '/^<28>/p' <<<"$messages")"

    # Each row's control by one runtime, in turn.
    controls=$((controls + 1))
    [ $((controls % 2)) = 0 ] || return 0
    equal "$name, $runtime: without a jail it is nobody's business" "reached reached$way" \
        "$(words "$gift" "$runtime" --annotation jail-ai.block-host=false "${options[@]}" -- /probe "${probes[@]}")"
    matches "$name, $runtime: nor syslog's" '^<30>[^|]*not jailed[^|]*$' "$(logged "$name" | paste -sd '|')"
}

check_harmless() {
    local name=$1 gift=$2 options
    take "$3"
    equal "$name, $runtime: it starts, jailed, and stays so whatever it does" 'EPERM reached' \
        "$(words "$gift" "$runtime" "${jailed[@]}" "${options[@]}" -- /leave /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port")"
    matches "$name, $runtime: syslog has no warning" '^<30>[^|]*dropped[^|]*\|<30>[^|]*jailed: denies[^|]*$' "$(logged "$name" | paste -sd '|')"
}

controls=0
side=(--network ns:/run/netns/side)
for runtime in crun runc; do
    while read -r name gift risks setting remedy options; do
        case $name in '#'*) ;; *) check_risky "$name" "$gift" "$risks" "$setting" "$remedy" "$options" ;; esac
    done <<<"$risky"
    while read -r name gift options; do
        case $name in '#'*) ;; *) check_harmless "$name" "$gift" "$options" ;; esac
    done <<<"$harmless"

    # crun 1.8 mounts all that is below, also where that is not asked for.
    alone=(--mount 'type=bind,src=/sys,dst=/folder,bind-nonrecursive')
    if engine "$runtime" run --rm "${alone[@]}" "${side[@]}" --rootfs "$lab/rootfs" /bin/busybox grep -q ' /folder/fs/cgroup ' /proc/self/mountinfo; then
        refused 'sys with what is mounted in it, unasked' "$runtime" 78 "'/folder/fs/cgroup':.'/sys/fs/cgroup'" "${jailed[@]}" "${side[@]}" "${alone[@]}"
    else
        check_harmless sys-without-what-is-mounted-in - "${alone[*]}"
    fi

    refused 'who accepts one risk accepts no other' "$runtime" 78 "CAP_BPF.*$(setting_for cap_bpf,cap_sys_admin)" "${side[@]}" "${jailed[@]}" --privileged \
        --annotation jail-ai.block-host.accept=cap_net_admin
    # podman's option takes a list, so that a value with a comma needs quotes of its own.
    equal "$runtime: risks are accepted with commas, too" EPERM "$(words - "$runtime" "${side[@]}" "${jailed[@]}" --privileged \
        --annotation '"jail-ai.block-host.accept=cap_net_admin,cap_bpf, cap_sys_admin"' -- /probe tcp "$host_v4" "$port")"
    equal "$runtime: the host's cgroups are a way out of the jail" reached "$(words - "$runtime" "${side[@]}" "${jailed[@]}" \
        -v /sys/fs/cgroup:/cgroups --annotation jail-ai.block-host.accept=host-cgroups -- /leave /probe tcp "$host_v4" "$port")"
    logged warned >"$lab/warned"
done
rm -r "${engine_sockets[@]}" /run/user/4242
finish
