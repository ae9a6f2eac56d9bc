#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What "verify" says, to root, of an ordinary user's real containers: with the broker and without, with a session's runtime directory and without.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

user=inspected user_id=1601
rootfs=$lab/home/$user/rootfs
mkdir -p "$lab/no-hooks"
cp "$build/hook/jail-ai-hook" "$lab/hook"
chmod 755 "$lab/no-hooks"
rootless_up

# finds NAME EXPECTED: of each of the user's containers the ID, what it asks for and whether it is jailed; and of each finding kind and ID
finds() {
    local said
    said=$(timeout 60 "$lab/hook" verify --json) || [ $? -eq 1 ]
    equal "$1" "$2" "$(jq -r --argjson owner "$user_id" '[(.containers[] | select(.owner == $owner) | "\(.container) \(.asks) \(.jailed)"),
        (.findings[] | "\(.kind) \(.container)")] | sort | join(", ")' <<<"$said")"
}

# outcome CONTAINER...: what finds() is to see; each word is ID:ASKS:JAILED
outcome() {
    local word lines=()
    for word in "$@"; do
        lines+=("${word//:/ }")
        if [[ $word == *:enforce:false ]]; then lines+=("not-jailed ${word%%:*}"); fi
    done
    printf '%s\n' "${lines[@]}" | LC_ALL=C sort | paste -sd , | sed 's/,/, /g'
}

id_of() { engine "$1" inspect --format '{{.Id}}' "$2"; }

listening=(-- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp 127.0.0.1 "$own_port")
for runtime in crun runc; do
    for userns in host keep-id; do
        name="$runtime, --userns=$userns"
        options=(--network=none --userns="$userns")
        # Without a cgroup of the container's own bookworm's crun leaves it in its caller's.
        [ "$runtime" = runc ] || options+=(--cgroups=split)
        started=yes
        start held "$runtime" "${options[@]}" "${jailed[@]}" "${listening[@]}" || started=no
        hooks=$lab/no-hooks start 'open' "$runtime" "${options[@]}" "${jailed[@]}" "${listening[@]}" || started=no
        start free "$runtime" "${options[@]}" "${listening[@]}" || started=no
        if [ $started = no ]; then
            not_ok "$name: starts" "$(why held) $(why open) $(why free)"
        else
            ids=("$(id_of "$runtime" held)" "$(id_of "$runtime" 'open')" "$(id_of "$runtime" free)")
            finds "$name: the jailed one, the open one and the one that doesn't ask" "$(outcome "${ids[0]}:enforce:true" "${ids[1]}:enforce:false" "${ids[2]}:nothing:false")"
            equal "$name: status knows the jail by the name that the user gave" "${ids[0]} held" \
                "$("$lab/hook" status --json held | jq -r '.[] | "\(.container) \(.name)"')"
        fi
        for container in held 'open' free; do remove "$runtime" "$container"; done
        finds "$name: they are gone with their containers" ''
    done
done

# A user who has not logged in has no runtime directory, and podman makes one of its own.
broker_down
user_down "$user" "$user_id"
user=passing user_id=1602
rootfs=$lab/home/$user/rootfs
rootless_up
rm -r "/run/user/$user_id"
mount -t tmpfs -o mode=1777 tmpfs /tmp # the view's own from here on
engine() {
    local runtime=$lab/bin/$1
    shift
    as "$user" env --unset=XDG_RUNTIME_DIR podman --log-level error --runtime "$runtime" --hooks-dir "$hooks" "$@"
}
name='runc, without a runtime directory'
if hooks=$lab/no-hooks start 'open' runc --network=none "${jailed[@]}" "${listening[@]}"; then
    finds "$name" "$(outcome "$(id_of runc 'open'):enforce:false")"
else
    not_ok "$name: starts" "$(why 'open')"
fi
remove runc 'open'
umount --lazy /tmp
finish
