#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Names resolve in the jailed containers of an ordinary user, wherever podman lets the resolver be: slirp4netns's forwarder, the host's own resolver at an
# address of the host, podman's at the gateway of the user's network.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"
# shellcheck source=resolves.sh
. "$lib/resolves.sh"

# podman 4.3 covers /run, where the lab's homes are, before it looks for networks of the user's.
networks=/var/lib/containers/$user
install -d -m 700 -o "$user_id" -g "$user_id" "$networks"
sed "/^\\[network\\]/a network_config_dir = \"$networks\"" "$CONTAINERS_CONF" >"$lab/names.conf"
export CONTAINERS_CONF=$lab/names.conf

names_up 127.0.0.56 "$dual_v4"
rootless_up
version="podman $(podman --version | awk '{ print $3 }')"
as "$user" podman --log-level error network create --subnet 10.75.0.0/24 --gateway 10.75.0.1 named >"$lab/network.out"
for runtime in runc crun; do
    # Without a cgroup of the container's own bookworm's crun leaves it in its caller's.
    own_cgroup=()
    [ "$runtime" = runc ] || own_cgroup=(--cgroups=split)
    resolves "$runtime, slirp4netns" "$runtime" 10.0.2.3 private policy --network=slirp4netns "${own_cgroup[@]}"
    resolves "$runtime, keep-id" "$runtime" 10.0.2.3 private policy --userns=keep-id "${own_cgroup[@]}"
    resolves "$runtime, bridge" "$runtime" "$dual_v4" - local --network=bridge "${own_cgroup[@]}"
    resolves "$runtime, the user's network" "$runtime" 10.75.0.1 private alias --network=named "${own_cgroup[@]}"
done
names_down
finish
