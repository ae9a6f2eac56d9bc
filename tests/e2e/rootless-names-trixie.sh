#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme rootless-names with the podman of Debian 13, which writes resolv.conf once the hook has run. The host's only resolver is
# on its loopback, where pasta's forwarder leads.
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
# shellcheck source=portable.sh
. "$lib/portable.sh"
hooks=$portable/hooks.d
in_tree=("$lib/in-tree" "$trixie_tree")

names_up 127.0.0.57
rootless_up
version="podman $(as "$user" podman --version | awk '{ print $3 }')"
as "$user" podman --log-level error network create --subnet 10.75.0.0/24 --gateway 10.75.0.1 named >"$lab/network.out"
for runtime in runc crun; do
    resolves "$runtime, pasta" "$runtime" 169.254.1.1 link-local policy
    resolves "$runtime, keep-id" "$runtime" 169.254.1.1 link-local policy --userns=keep-id
    resolves "$runtime, bridge" "$runtime" 169.254.1.1 link-local policy --network=bridge
    resolves "$runtime, the user's network" "$runtime" 10.75.0.1 private alias --network=named
    resolves "$runtime, the user's network, keep-id" "$runtime" 10.75.0.1 private policy --network=named --userns=keep-id
done
names_down
finish
