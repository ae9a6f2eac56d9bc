#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# One port of the host's 127.0.0.1 for a jailed container, by examples/host-port, as Debian 12's systemd and Debian 13's run it: that port, no other, and
# not for hosts elsewhere. $machine_trees, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=documents.sh
. "$lib/documents.sh"
# shellcheck source=machine.sh
. "$lib/machine.sh"

# shellcheck disable=SC2317 # called by the blocks
podman() { command podman --log-level error --runtime "$lab/bin/crun" --hooks-dir "$build/hooks.d" "$@"; }

# A second port that is passed on, and one that isn't: a jail denies the first, and the second is closed.
exec {served}< <(exec "$build/tests/probe" listen tcp 127.0.0.1 5432 hello -- tcp 127.0.0.1 8080 hello -- tcp 127.0.0.1 8081 hello)
listener=$!
IFS= read -r -t 60 -u "$served" line
equal 'services listen on the loopback' ready "$line"
make_image "$lab/rootfs" podman
internet=(tcp "$internet_v4" "$port")

judge() {
    local name
    name="systemd $(inside systemctl --version | awk 'NR == 1 { print $2 }')"
    cp "$sources"/examples/host-port/host-port@.{socket,service} "$machine/etc/systemd/system"
    inside systemctl daemon-reload
    inside systemctl enable --now host-port@5432.socket
    inside systemctl start host-port@8080.socket
    equal "$name: a container without a jail reaches what is passed on, and nothing else" 'reached reached ECONNREFUSED reached' \
        "$(in_words podman run --rm "$image" /probe tcp $bridge_v4 5432 -- tcp $bridge_v4 8080 -- tcp $bridge_v4 8081 -- "${internet[@]}")"
    document host-port 'reached EPERM reached' tcp $bridge_v4 5432 -- tcp $bridge_v4 8080 -- "${internet[@]}"
    if start inside crun "${jailed[@]}" --annotation jail-ai.block-host.allow=10.88.0.1:5432 -- \
        /probe listen tcp 127.0.0.1 "$port" "then" tcp $bridge_v4 8080 -- tcp $bridge_v4 5432; then
        equal "$name: the other port is counted as denied" 'EPERM reached local 1' "$(awk '$1 == "tcp" { print $NF }' <<<"$lines" | paste -sd ' ') $(denials "$(cgroup_of inside)")"
        remove crun inside
    else
        not_ok "$name: a container starts" "$(why inside)"
    fi
    equal "$name: nothing has failed" '' "$(inside systemctl list-units --state failed --plain --no-legend)"
}

# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    kill "$listener" # whose ports later themes have
    end_with_machine "$status"
}
trap end EXIT

on_machines "a port of the host by another Debian's systemd"
finish
