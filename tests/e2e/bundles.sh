#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The hook as the runtimes themselves call it, with no engine between: bundles of the caller's own making, as other engines and people
# with a text editor write them.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

hook=$build/hook/jail-ai-hook
read -ra destinations <<<"tcp $host_v4 $port -- udp $host_v4 $port -- tcp $host_v6 $port -- tcp $metadata_v4 $port \
    -- tcp $internet_v4 $port -- udp $internet_v6 $port"
starts=50

runtime_command() {
    "$lab/bin/$runtime" --root "$lab/state" "$@"
}

# bundle OPTION... -- COMMAND...
bundle() {
    "$lib/bundle.sh" "$lab/bundle" "$lab/rootfs" --hook "$hook" "$@"
}

run_bundle() {
    runtime_command run --bundle "$lab/bundle" bundle 2>&1 || echo "status $?"
}

words() {
    awk '{ print $NF }' | paste -sd ' '
}

jailed=(--annotation jail-ai.block-host=true)
for runtime in crun runc; do
    for place in shared side; do
        options=()
        [ "$place" = shared ] || options=(--netns /run/netns/side)
        name="$runtime, network namespace $place"
        bundle "${options[@]}" "${jailed[@]}" -- /probe "${destinations[@]}"
        equal "$name: jailed, it reaches the internet and not the host" 'EPERM EPERM EPERM EPERM reached reached' "$(run_bundle | words)"
        bundle "${options[@]}" --annotation jail-ai.block-host=false -- /probe "${destinations[@]}"
        equal "$name: with 'false' it reaches all" 'reached reached reached reached reached reached' "$(run_bundle | words)"
    done

    bundle "${jailed[@]}" -- /probe tcp "$host_v4" "$port"
    acts=$(for ((i = 0; i < starts; i++)); do run_bundle; done)
    equal "$runtime: of $starts first acts none reaches the host" "$starts EPERM" "$(sort <<<"$acts" | uniq -c | awk '{ $1 = $1; print }')"

    bundle --annotation jail-ai.block-host=yes -- /probe "${destinations[@]}"
    matches "$runtime: a mistyped value is rejected" 'exit (code:|status) 65' "$(run_bundle)"
    equal "$runtime: nothing is left" '' "$(runtime_command list --quiet; find /sys/fs/cgroup -name 'bundle*')"
done
finish
