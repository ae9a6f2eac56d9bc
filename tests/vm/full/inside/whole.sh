# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash disable=SC2034 # its variables are for those who source it
# The lab of the other suites (tests/lib/lab.sh) on a machine that has everything installed: nothing is told where the hook is, or which runtime
# to take for the real one. Containers may see the machine's own files, as far as they are on its disk, and write over them in memory. To be
# sourced.

: "${build:?the directory of the test programs}" "${lib:?the directory of tests/lib}"
inside=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
exec {seen}<>/run/seen
# shellcheck source-path=SCRIPTDIR/../../../lib
# shellcheck source=containers.sh
. "$lib/containers.sh"
release=$(sed -n 's/^VERSION_ID="\(.*\)"$/\1/p' /etc/os-release)
patience=120          # an emulated machine, on a busy one
whole=$lab/machine:O  # a root file system
giver=(-v "$lab/host:/giver" -v "$inside/attempt:/attempt:ro")
user=somebody         # of the image

# In a session of the user's, which PAM starts, with the user's service manager and bus.
login() { su --login "$user" --command "$(printf '%q ' "$@")"; }

engine() {
    local runtime=$1
    shift
    podman --log-level error --runtime "$runtime" "$@"
}

lab_files() {
    mkdir -p "$lab/rootfs/bin" "$lab/rootfs/tmp" "$lab/machine" "$lab/host"
    cp /bin/busybox "$lab/rootfs/bin"
    ln -s busybox "$lab/rootfs/bin/sh"
    cp "$build/tests/probe" "$build/tests/family" "$lab/rootfs"
    mount --bind / "$lab/machine"
    # Debian 12's podman takes CNI, whose plugins aren't here, for the network of a machine that has a file of CNI's.
    rm -f /etc/cni/net.d/87-podman-bridge.conflist
    mkdir -p /etc/containers/containers.conf.d
    printf '%s\n' '[network]' 'network_backend = "netavark"' >/etc/containers/containers.conf.d/10-network.conf
    # What lies on another file system can be laid over the machine's own.
    mount -t tmpfs -o mode=755 tmpfs /var/lib/containers
}

lab_up() {
    lab_files
    lab_network
    serve - $host_v4 $host_second_v4 $host_v6 $host_second_v6 $bridge_v4 127.0.0.1 ::1
    serve internet $internet_v4 $internet_v6 $metadata_v4 $metadata_v6 $alias_qemu $alias_pasta
    ready "$inside/host" "$lab/host"
}

# journal: what the hook has logged since the last time
journal() {
    local cursor=()
    journalctl --sync
    if [ -e "$lab/cursor" ]; then cursor=(--after-cursor="$(<"$lab/cursor")"); fi
    journalctl -t jail-ai-hook --quiet --output cat "${cursor[@]}"
    journalctl --quiet --lines 1 --show-cursor --output cat | sed -n 's/^-- cursor: //p' >"$lab/cursor"
}
