#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A container stays jailed through its life: processes that come later by exec, and each further start, which gets a new cgroup.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

# What the container's own command says, which it does once a start.
mkdir "$lab/told"
mkfifo "$lab/told/words"
tell="exec /probe listen tcp 127.0.0.1 $own_port then tcp $host_v4 $port -- tcp $internet_v4 $port >/told/words"
told="tcp $host_v4 $port EPERM|tcp $internet_v4 $port reached|probed"

# hear: the lines of one start; the container keeps its end of the fifo open, so they are counted
hear() {
    timeout 60 head -n 4 "$lab/told/words" | grep -v '^ready$' | paste -sd '|'
}

exec_words() {
    engine "$1" exec lived /probe tcp $host_v4 $port -- udp $host_v4 $port -- tcp $internet_v4 $port | awk '{ print $4 }' | paste -sd ' '
}

# after NAME: the container has just been started
after() {
    equal "$runtime: $1, the container's command is jailed" "$told" "$(hear)"
    equal "$runtime: $1, a process by exec is jailed" 'EPERM EPERM reached' "$(exec_words "$runtime")"
    cgroup=$(cgroup_of lived)
    equal "$runtime: $1, all denials so far are counted" 'local 3' "$(denials "$cgroup")"
    equal "$runtime: $1, programs are attached to its cgroup and nowhere else" "$(programs "$cgroup")" "$(attached_anywhere)"
    inode=$(stat -c %i "$cgroup")
}

for runtime in crun runc; do
    engine "$runtime" run --detach --name lived --pidfile "$lab/lived.pid" --network dual "${jailed[@]}" -v "$lab/told:/told" \
        --rootfs "$lab/rootfs" /bin/sh -c "$tell" >"$lab/lived.id"
    after 'after run'
    old=$inode

    engine "$runtime" restart --time 0 lived >"$lab/lived.id"
    after 'after restart'
    if [ "$inode" != "$old" ]; then ok "$runtime: restart gave a new cgroup"; else not_ok "$runtime: restart gave a new cgroup" 'same inode'; fi

    engine "$runtime" stop --time 0 lived >"$lab/lived.id"
    equal "$runtime: after stop, nothing is attached anywhere" '' "$(attached_anywhere)"
    engine "$runtime" start lived >"$lab/lived.id"
    after 'after stop and start'
    remove "$runtime" lived
done
finish
