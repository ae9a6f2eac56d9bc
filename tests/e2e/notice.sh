#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What an agent in a jailed container finds about its jail: a variable with the container's own settings and a read-only file, for every user and user
# namespace; and where neither is given, nothing of it is left.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=notice.sh
. "$lib/notice.sh"

rootfs=$lab/rootfs
# What is root's alone to try.
check_more() {
    local name="$version, $runtime" place=$lab/volume
    gets "$name, with a port of 127.0.0.1, which is the host's" 'Allowed there: DNS, 127\.0\.0\.1:11434\.' --annotation jail-ai.block-host.allow=127.0.0.1:11434 --network host
    gets "$name, another user" 'More: ' --user 1234:1234
    gets "$name, a user namespace" 'More: ' --uidmap 0:100000:65536
    equal "$name: a variable of the user's stays" variable=mine "$(seen "${jailed[@]}" --env JAIL_AI_NOTICE=mine | head -n 1)"
    mkdir -p "$place"
    matches "$name, a volume at /run: the variable comes alone" '^variable=This container .*PORT\)\.
file none$' "$(seen "${jailed[@]}" --volume "$place:/run")"
    equal "$name, a volume at /run: nothing is left in it" '' "$(find "$place" -name 'jail-ai-hook*')"
    chmod 640 "$lab/notice.md"
    matches "$name, a file that not every user can read: the variable comes alone" '^variable=This container .*PORT\)\.
file none$' "$(seen "${jailed[@]}")"
    chmod 644 "$lab/notice.md"
    if ! start noticed "$runtime" "${jailed[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port"; then
        not_ok "$name: starts" "$(why noticed)"
        return
    fi
    equal "$name: the container is jailed, as the texts say" "ready EPERM" "$(paste -sd " " <<<"${lines%$'\n'}")"
    matches "$name: what the file says to type shows the variable to podman exec" '^JAIL_AI_NOTICE=This container cannot connect' \
        "$(engine "$runtime" exec noticed /bin/sh -c "$(sed -n 's/^  tr /\/bin\/busybox tr /p' "$lab/notice.md" | sed 's/| grep/| \/bin\/busybox grep/')")"
    equal "$name: nobody in the container writes to the file" 'Read-only file system' \
        "$(engine "$runtime" exec noticed /bin/sh -c 'echo x >/run/jail-ai-hook.md' 2>&1 | grep -o 'Read-only file system')"
    remove "$runtime" noticed
    equal "$name: the host's file is as it was" "$sum" "$(md5sum <"$lab/notice.md")"
}

for runtime in crun runc; do
    # shellcheck disable=SC2119 # options of a container
    check
    check_more
done
finish
