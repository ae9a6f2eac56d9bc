#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# No instruction of a container runs before it is jailed: its very first act is to try the host, and it never gets there, however often
# it is started.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

starts=25

# first_act RUNTIME OPTION...: what becomes of a container's first act
first_act() {
    local runtime=$1
    shift
    engine "$runtime" run --rm --network host "$@" 2>&1 || echo "podman: exit status $?"
}

for runtime in crun runc; do
    equal "$runtime: the host is reached without the jail" reached "$(first_act "$runtime" --rootfs "$lab/rootfs" /probe tcp $host_v4 $port)"
    equal "$runtime: the internet is reached with it" reached \
        "$(first_act "$runtime" "${jailed[@]}" --rootfs "$lab/rootfs" /probe tcp $internet_v4 $port)"
    words=$(for ((i = 0; i < starts; i++)); do first_act "$runtime" "${jailed[@]}" --rootfs "$lab/rootfs" /probe tcp $host_v4 $port; done)
    equal "$runtime: of $starts first acts none reaches the host" "$starts EPERM" "$(sort <<<"$words" | uniq -c | awk '{ $1 = $1; print }')"
done
finish
