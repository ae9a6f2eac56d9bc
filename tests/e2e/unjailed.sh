#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Who didn't ask for a jail gets none: without the annotation, with "false", and with somebody else's annotation of a similar name. So does a copy by
# podman container clone of one that did ask, unless the settings file does.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

for runtime in crun runc; do
    for annotation in '' jail-ai.block-host=false jail-ail.block-host=yes x-jail-ai.block-host=true; do
        name="$runtime, annotation '$annotation'"
        options=(--network dual)
        [ -z "$annotation" ] || options+=(--annotation "$annotation")
        if ! start free "$runtime" "${options[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" \
            "then" tcp "$host_v4" "$port" -- udp "$host_v6" "$port" -- tcp "$metadata_v4" "$port"; then
            not_ok "$name: starts" "$(why free)"
            continue
        fi
        equal "$name: reaches the host" 'reached reached reached' "$(sed 1d <<<"${lines%$'\n'}" | awk '{ print $4 }' | paste -sd ' ')"
        equal "$name: nothing is attached" '' "$(programs "$(cgroup_of free)")"
        remove "$runtime" free
    done
done

settings=/etc/jail-ai-hook.conf # in the view's own copy of /etc
# shellcheck disable=SC2317 # by the trap
cloned_down() {
    rm -f "$settings"
    podman --log-level error rm --force --ignore --time 0 original copy >"$lab/removed" 2>&1
    podman --log-level error rmi --force localhost/cloned >"$lab/removed" 2>&1
}
trap 'cloned_down; report_exit' EXIT

# jail_of NAME: programs on its cgroup
jail_of() {
    podman inspect --format '{{.State.Pid}}' "$1" >"$lab/$1.pid"
    programs "$(cgroup_of "$1")"
}

# copied: the container "copy", started
copied() {
    engine crun container clone original copy >"$lab/created"
    engine crun start copy >"$lab/started"
}

tar -C "$lab/rootfs" -c . | podman --log-level error import - localhost/cloned >"$lab/import" 2>&1
engine crun create --name original --annotation jail-ai.block-host=true --network none localhost/cloned /bin/busybox sleep 1000 >"$lab/created"
engine crun start original >"$lab/started"
matches 'a container that asks: it is jailed' jail_connect4 "$(jail_of original)"
copied
equal 'its copy: podman drops the annotation' null "$(podman inspect copy | jq '.[0].Config.Annotations["jail-ai.block-host"]')"
equal 'its copy: nothing is attached' '' "$(jail_of copy)"
podman rm --force --time 0 copy >"$lab/removed"
echo 'block-host = true' >"$settings"
copied
matches 'its copy, with the settings file: it is jailed' jail_connect4 "$(jail_of copy)"
finish
