# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Hooks of others beside ours, to be sourced after containers.sh: $lab/others.d with one that leaves a file, $lab/podman.d with the stage precreate, and
# the script that writes podman's settings where it is installed. Needs $hooks, a directory with both stages.
# shellcheck disable=SC2154 # theirs
set -eu

# Of no engine's own: what this one leaves says that it was called.
mkdir -p "$lab/others.d" "$lab/podman.d" "$lab/shared.d"
printf '#!/bin/sh\n: >%s/others-were-called\n' "$lab" >"$lab/others-hook"
chmod 755 "$lab/others-hook"
jq --null-input --arg path "$lab/others-hook" '{version: "1.0.0", hook: {path: $path}, when: {always: true}, stages: ["createRuntime"]}' >"$lab/others.d/others.json"
cp "$hooks/jail-ai-hook-precreate.json" "$lab/podman.d"
cp "$hooks/jail-ai-hook.json" "$lab/shared.d"

# write_settings FILE: as an installation does, by the podman in PATH
write_settings() {
    sed "s|/usr/share/containers/oci/hooks.d|$lab/shared.d|; s|/usr/share/jail-ai-hook/podman.d|$lab/podman.d|; s|/usr/libexec/oci/hooks.d/jail-ai-hook|$build/hook/jail-ai-hook|
        s|/usr/share/jail-ai-hook/50-jail-ai-hook.conf|$build/hooks.d/installed/podman.d/50-jail-ai-hook.conf|" "$build/hooks.d/installed/podman-settings" >"$lab/podman-settings"
    sh "$lab/podman-settings" "$1"
}

# others_and_ours COMMAND...: what a jailed container reaches by podman with that command line, and whether others' hook was called
others_and_ours() {
    rm -f "$lab/others-were-called"
    "$@" --log-level error --runtime "$runtime" run --rm --network host "${jailed[@]}" --rootfs "$lab/rootfs" /bin/sh -c "/probe tcp $host_v4 $port; /family vsock" 2>&1 | words
    if [ -e "$lab/others-were-called" ]; then echo called; else echo 'not called'; fi
}
