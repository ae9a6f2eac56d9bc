#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The runtimes mount before they call the hook. A path that leads elsewhere since then changes nothing: neither does it let a container have what
# is mounted in it, nor does it keep one from starting that has nothing.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

hook=$build/hook/jail-ai-hook
starts=24

mkdir -p "$lab/shared" "$lab/shared/harmless" "$lab/deep" "$lab/deep/er" /run/podman
: >"$lab/shared/harmless/file"
ready "$build/tests/probe" listen log /run/podman/podman.sock
ready "$build/tests/probe" listen log "$lab/deep/er/docker.sock"
cat >"$lab/swap" <<SWAP
#!/bin/sh
/bin/cat >/dev/null # crun complains of a hook that doesn't read its state
exec ln --symbolic --force --no-dereference "\$1" "$lab/shared/path"
SWAP
chmod +x "$lab/swap"

# bundle FILTER: one that mounts shared/path; its first hook is FILTER's
bundle() {
    "$lib/bundle.sh" "$lab/bundle" "$lab/rootfs" --hook "$hook" --netns /run/netns/side --annotation jail-ai.block-host=true -- /bin/busybox ls /gift
    jq --arg source "$lab/shared/path" '.mounts += [{destination: "/gift", type: "bind", source: $source, options: ["rbind", "ro"]}] | '"$1" \
        "$lab/bundle/config.json" >"$lab/config"
    mv "$lab/config" "$lab/bundle/config.json"
}

# What becomes of the bundle, in a line.
run_bundle() {
    "$lab/bin/$runtime" --root "$lab/state" run --bundle "$lab/bundle" swapped 2>&1 | sed -n '/level=warning/d; /exit code: 78\|exit status 78/ { s/.*/refused/p; q }; p' | paste -sd ' '
}

swap_to() {
    echo ".hooks.createRuntime |= [{path: \"$lab/swap\", args: [\"swap\", \"$1\"]}] + ."
}

mkdir "$lab/rootfs/gift"
: >"$lab/rootfs/gift-file"
for runtime in crun runc; do
    ln -s "$lab/shared/harmless" "$lab/shared/path"
    bundle .
    equal "$runtime: a harmless directory is mounted" file "$(run_bundle)"
    bundle "$(swap_to /run/podman)"
    equal "$runtime: a path that leads to an engine's socket since it was mounted keeps nobody from starting" file "$(run_bundle)"
    bundle "$(swap_to "$lab/shared/harmless")"
    "$lab/swap" /run/podman </dev/null
    equal "$runtime: an engine's socket is mounted, and its path leads elsewhere since then" refused "$(run_bundle)"
    bundle "$(swap_to "$lab/shared/harmless") | .mounts[-1].destination = \"/gift-file\""
    "$lab/swap" /run/podman/podman.sock </dev/null
    equal "$runtime: the same of the socket itself" refused "$(run_bundle)"
    bundle "$(swap_to "$lab/shared/harmless")"
    "$lab/swap" /proc </dev/null
    equal "$runtime: the same of the host's processes" refused "$(run_bundle)"
    bundle "$(swap_to "$lab/shared/harmless") | .mounts[-1].options = [\"rbind\"]"
    "$lab/swap" /sys/fs/cgroup </dev/null
    equal "$runtime: the same of the host's cgroups" refused "$(run_bundle)"
    bundle .
    "$lab/swap" "$lab/deep" </dev/null
    equal "$runtime: a directory with an engine's socket further below is refused" refused "$(run_bundle)"
    rm "$lab/shared/path"

    mkdir "$lab/shared/path"
    : >"$lab/shared/path/file"
    ln -s /run/podman "$lab/shared/other"
    ready "$build/tests/probe" exchange "$lab/shared/path" "$lab/shared/other"
    exchanger=$!
    bundle .
    all=$(for ((i = 0; i < starts; i++)); do run_bundle; done)
    kill "$exchanger"
    wait "$exchanger" || :
    equal "$runtime: whoever exchanges it all the time gets no socket in" 0 "$(grep -c '\.sock' <<<"$all")"
    matches "$runtime: of $starts starts some went well, and some were rejected" 'file.*refused' "$(sort -u <<<"$all" | paste -sd ' ')"
    rm -r "$lab/shared/path" "$lab/shared/other"
done
rm -r /run/podman "$lab/deep" "$lab/rootfs/gift" "$lab/rootfs/gift-file"
finish
