#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# buildah as root, with the hook as it is installed: RUN steps and "buildah run" by /etc/jail-ai-hook.conf, since annotations are the image's there.
# $buildah_tree, see run: Debian 13's, if no other theme says whose.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=engine.sh
. "$lib/engine.sh"

settings=/etc/jail-ai-hook.conf # the view's own, which in-tree gives to the tree
context=$lab/context
if [ ! -d "${buildah_tree-}" ]; then
    skip buildah "${buildah_tree:-there is no tree of it}"
    finish
fi

# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    rm -f "$settings"
    engine_down || not_ok "buildah's files go"
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}
trap end EXIT

# The network comes after the hook, so that the gateway is not the host's address yet. All is in one call, whose images and networks are in memory.
probes=(/probe tcp "$host_v4" "$port" -- tcp "$bridge_v4" "$port" -- tcp "$internet_v4" "$port")
open='reached reached reached' closed='EPERM EPERM reached'

# in_buildah COMMAND: what its probes give, or what it says in the end. "$@" of the command are buildah's options.
in_buildah() {
    "$lib/in-tree" "$engine_files" /bin/sh -euc "$1" buildah --runtime "$lab/runtimes/$runtime" --cap-drop=CAP_NET_RAW >"$lab/buildah.out" 2>"$lab/buildah.err" || :
    if grep -q '^tcp' "$lab/buildah.out"; then awk '$1 == "tcp" { print $NF }' "$lab/buildah.out" | paste -sd ' '; else paste -sd ' ' "$lab/buildah.err"; fi
}

step() { in_buildah "buildah build --no-cache \"\$@\" $context"; }

by_run() { in_buildah "container=\$(buildah from scratch) && buildah copy --quiet \$container $context/files / >$lab/copied && exec buildah run \"\$@\" \$container -- ${probes[*]}"; }

engine_tree_up "$buildah_tree"
mkdir "$lab/runtimes"
cp "$lib/crun-here" "$lab/runtimes/crun"
cp "$build/tests/nomemlock.so" "$lab/runtimes"
ln -s /usr/bin/runc "$lab/runtimes/runc"
mkdir -p "$context/files"
cp -a "$lab/rootfs/." "$context/files"
rm -f "$context/files/run/jail-ai-hook.md"
printf 'FROM scratch\nCOPY files /\nRUN %s\n' "$(printf '%s\n' "${probes[@]}" | jq -R . | jq -cs .)" >"$context/Containerfile"
number=$("$lib/in-tree" "$engine_files" buildah --version | awk '{ print $3 }')
for runtime in crun runc; do
    name="buildah $number, $runtime"
    equal "$name: a RUN step reaches the host" "$open" "$(step)"
    equal "$name: so does buildah run" "$open" "$(by_run)"
    echo 'block-host = true' >$settings
    logged before >"$lab/logged"
    equal "$name, settings of the machine: a RUN step is jailed" "$closed" "$(step)"
    matches "$name, the same: the log says so" 'jailed: denies' "$(logged "$name" | paste -sd '|')"
    equal "$name, settings of the machine: so is what buildah run starts" "$closed" "$(by_run)"
    equal "$name, settings of the machine: chroot in the place of a runtime calls no hook" "$open" \
        "$(in_buildah "BUILDAH_ISOLATION=chroot exec buildah build --no-cache \"\$@\" $context")"
    echo 'block-hots = true' >$settings
    matches "$name, a mistake in them: the step does not run" 'exit (code:|status) 78' "$(step)"
    matches "$name, the same: the log says why" "rejected: .*$settings: line 1: unknown setting 'block-hots'" "$(logged "$name" | paste -sd '|')"
    rm $settings
    equal "$name: nothing is attached in the end" '' "$(attached_anywhere)"
done
finish
