#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every way to write into config.json what a runtime reads as a risk is refused, and what it reads as missing is started.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

mkdir -p /run/podman "$lab/rootfs/gift"
ready "$build/tests/probe" listen log /run/podman/podman.sock

# A hook that has nothing against anything.
cat >"$lab/content" <<'CONTENT'
#!/bin/sh
exec /bin/cat >/dev/null
CONTENT
chmod +x "$lab/content"

# run_with FILTER [HOOK]: what the container prints, or the hook's exit status
run_with() {
    "$lib/bundle.sh" "$lab/bundle" "$lab/rootfs" --hook "${2:-$build/hook/jail-ai-hook}" --netns /run/netns/side --annotation jail-ai.block-host=true \
        -- /bin/busybox sh -c "$act"
    jq "$1" "$lab/bundle/config.json" >"$lab/config"
    mv "$lab/config" "$lab/bundle/config.json"
    "$lab/bin/$runtime" --root "$lab/state" run --bundle "$lab/bundle" names 2>&1 |
        sed -n 's/.*exit \(code:\|status\) \([0-9]*\).*/refused \2/; /level=warning/d; p' | head -n 1
}

with_capability() {
    echo ".process.capabilities = {bounding: [\"$1\"], effective: [\"$1\"], permitted: [\"$1\"]}"
}

has_net_admin='CapEff:.0000000000001000'
act='/bin/busybox grep CapEff /proc/self/status'
for runtime in crun runc; do
    for name in 12 0xc 'CAP_NET_ADMIN\u0000x' CAP_NET_ADMIN+ep CAP_NET_ADMIN2; do
        [ $runtime = runc ] || matches "$runtime reads the capability $name as CAP_NET_ADMIN" "$has_net_admin" "$(run_with "$(with_capability "$name")" "$lab/content")"
        equal "$runtime: the capability $name is refused" 'refused 65' "$(run_with "$(with_capability "$name")")"
    done
    for key in .Process .process.Capabilities '."proceſs"'; do
        filter=$(with_capability CAP_NET_ADMIN | sed "s/^\.process\.capabilities/X/")
        case $key in
            .process.Capabilities) filter=${filter/X/.process.Capabilities} ;;
            *) filter=${filter/X/$key.capabilities} ;;
        esac
        [ $runtime = crun ] || matches "$runtime reads $key in its own way" "$has_net_admin" "$(run_with "$filter" "$lab/content")"
        equal "$runtime: the key $key is refused" 'refused 65' "$(run_with "$filter")"
    done
done

# runc refuses these itself.
act='/bin/busybox ls /gift'
runtime=crun
equal "crun: a mount's option with a NUL is refused" 'refused 65' \
    "$(run_with '.mounts += [{destination: "/gift", type: "none", source: "/run/podman", options: ["rbind\u0000x"]}]')"
equal "crun: a mount's type with a NUL is refused" 'refused 65' \
    "$(run_with '.mounts += [{destination: "/gift", type: "cgroup2\u0000x", source: "cgroup", options: ["rw"]}]')"

# What isn't said isn't there.
act='/bin/busybox echo started'
for runtime in crun runc; do
    for filter in '.process.capabilities = null' '.process.capabilities = {bounding: null, permitted: ["CAP_CHOWN"]}' '.mounts[0].options = null' \
        '.mounts += [{destination: "/gift", type: "tmpfs", source: null}]' '.linux.namespaces[0].path = null'; do
        control=$(run_with "$filter" "$lab/content")
        equal "$runtime: $filter" "$control" "$(run_with "$filter")"
    done
    matches "$runtime starts what has no capabilities" started "$(run_with '.process.capabilities = null')"
    for filter in 'del(.annotations)' '.annotations = {}' '.annotations = null'; do
        equal "$runtime: $filter, with the administrator's flag" started "$(run_with "$filter | .hooks.createRuntime[0].args += [\"--block-host=true\"]")"
    done
done
rm -r /run/podman "$lab/rootfs/gift"
finish
