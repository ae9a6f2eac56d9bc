#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# An ordinary user's podman finds its files where its first process ran, which need not be where the user is. What doctor says then to that user, beside
# what podman does; and that the other themes would notice.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

hooks=$lab/shown
mkdir "$hooks"
cp "$build"/hooks.d/*.json "$hooks"
sed "s|^hooks_dir = .*|hooks_dir = [\"$hooks\"]|" "$CONTAINERS_CONF" >"$lab/shown.conf"
export CONTAINERS_CONF=$lab/shown.conf

# happens: EPERM or reached, by podman itself
happens() {
    as "$user" podman --log-level error --runtime "$lab/bin/runc" run --rm "${jailed[@]}" --rootfs "$rootfs" /probe tcp "$host_v4" "$port" 2>&1 | awk '{ print $NF }'
}

# diagnose NAME EXPECTED-STATUS [COMMAND]...: in $said
diagnose() {
    local name=$1 expected=$2 status=0
    shift 2
    said=$(as "$user" "$@" "$build/hook/jail-ai-hook" doctor 2>&1) || status=$?
    equal "$name: ends with $expected" "$expected" "$status"
}

# hidden COMMAND...: where the directory is another one
hidden() {
    local in_tree=(unshare --mount --propagation private sh -c "mount -t tmpfs -o mode=755 tmpfs '$hooks' && exec \"\$@\"" hidden)
    "$@"
}

# keeps_hidden: the process that podman keeps is there
keeps_hidden() {
    as "$user" podman --log-level error system migrate
    hidden as "$user" podman --log-level error unshare true
}

rootless_up
called='ok +hooks +podman calls createRuntime'
problem="problem +hooks +'$hooks/jail-ai-hook.json' or its binary is not in the mounts of podman's pause process"

name='podman began where the user is'
diagnose "$name" 0
matches "$name: says that it calls the hook" "$called" "$said"
equal "$name: the container is jailed" EPERM "$(happens)"

name='podman began where the hooks are hidden'
keeps_hidden
diagnose "$name" 69
matches "$name: says so" "$problem" "$said"
matches "$name: says what to do" 'podman system migrate' "$said"
equal "$name: the container is not jailed" reached "$(happens)"
diagnose "$name, without a session" 69 env --unset=XDG_RUNTIME_DIR
matches "$name, without a session: says so" "$problem" "$said"
equal "$name: a theme starts no container" unprotected "$(engine runc run --rm "${jailed[@]}" --rootfs "$rootfs" /probe tcp "$host_v4" "$port" 2>&1 | awk '{ print $NF }')"
matches "$name: and fails for it" "podman finds no '$lab/.*would start the container unprotected" "$(cat "$lab/missed" 2>&1)"
rm -f "$lab/missed"

name='the remedy'
as "$user" podman --log-level error system migrate
diagnose "$name" 0
matches "$name: no other process whose mounts matter" "$called" "$said"
equal "$name: the container is jailed" EPERM "$(happens)"
diagnose "$name, once podman has begun again" 0

name='the number has become that of a process in no user namespace'
as "$user" podman --log-level error system migrate
exec {waiting}< <(hidden as "$user" sh -c 'echo $$; exec sleep 60')
read -r pid <&"$waiting"
as "$user" sh -c "echo $pid >/run/user/$user_id/libpod/tmp/pause.pid"
diagnose "$name" 0
matches "$name: whose mounts do not matter" "$called" "$said"
kill "$pid"
exec {waiting}<&-

name='a user of a theme that was killed'
keeps_hidden
left=$(pause_process)
user_up "$user" "$user_id"
equal "$name: their processes end" 'was there, is gone' "${left:+was there}, $([ -d "/proc/$left" ] || echo is gone)"
equal "$name: the next theme's container is jailed" EPERM "$(happens)"

rm -r "$hooks" "$lab/shown.conf"
finish
