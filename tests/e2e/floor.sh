#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The administrator's floor for what has no annotations: bundles without them, and the RUN steps of a build, for which podman calls the hook as well.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

floor=$lab/hooks.d.builds context=$lab/build
mkdir "$floor" "$context"
jq '.hook.args += ["--block-host=true", "--enforce"] | .when = {always: true}' "$build/hooks.d/jail-ai-hook.json" >"$floor/jail-ai-hook.json"
tar -C "$lab/rootfs" -c . | podman --log-level error import - localhost/plain >"$context/log" 2>&1
echo 'FROM localhost/plain' >"$context/Containerfile"
echo "RUN [\"/probe\", \"tcp\", \"$host_v4\", \"$port\", \"--\", \"tcp\", \"$internet_v4\", \"$port\"]" >>"$context/Containerfile"

# A build never asks the stage precreate, so that nobody else takes CAP_NET_RAW, which buildah's defaults have.
# build_reaches OPTION...: what its RUN step gives, one word each
build_reaches() {
    podman --log-level error --runtime "$lab/bin/$runtime" build --no-cache --network dual --cap-drop=NET_RAW "$@" "$context" 2>"$lab/build.err" >"$lab/build.out" ||
        echo "podman build failed: $(tail -n 3 "$lab/build.err")" >&2
    awk '$1 == "tcp" { print $NF }' "$lab/build.out" | paste -sd ' '
}

read_by_builds=/etc/containers/oci/hooks.d # in the view's own copy of /etc/containers
for runtime in crun runc; do
    equal "$runtime: a build without the floor reaches the host" 'reached reached' "$(build_reaches --hooks-dir "$lab/hooks.d")"
    equal "$runtime: a build with the floor doesn't, and reaches the internet" 'EPERM reached' "$(build_reaches --hooks-dir "$floor")"
    mkdir -p $read_by_builds
    cp "$floor/jail-ai-hook.json" $read_by_builds
    equal "$runtime: nor does one that finds the floor by itself" 'EPERM reached' "$(build_reaches)"
    rm -r $read_by_builds
    # Hence that stage's JSON lies in a directory that only containers.conf names.
    equal "$runtime: a build whose directory has the stage precreate doesn't run" ' unknown stage "precreate"' \
        "$(build_reaches --hooks-dir "$build/hooks.d") $(grep -o 'unknown stage.*' "$lab/build.err")"
    sed "s#^hooks_dir.*#hooks_dir = [\"$build/hooks.d\"]#" "$CONTAINERS_CONF" >"$lab/containers.conf"
    equal "$runtime: one where containers.conf names that directory does" 'reached reached' "$(CONTAINERS_CONF=$lab/containers.conf build_reaches)"
    for annotations in 'del(.annotations)' '.annotations = {}' '.annotations = {"a": "b"}'; do
        "$lib/bundle.sh" "$lab/bundle" "$lab/rootfs" --hook "$build/hook/jail-ai-hook" -- /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port"
        jq ".hooks.createRuntime[0].args += [\"--block-host=true\"] | $annotations" "$lab/bundle/config.json" >"$lab/config.json"
        mv "$lab/config.json" "$lab/bundle/config.json"
        equal "$runtime: a bundle with $annotations and the floor is jailed" 'EPERM reached' \
            "$("$lab/bin/$runtime" --root "$lab/state" run --bundle "$lab/bundle" bundle 2>&1 | awk '{ print $NF }' | paste -sd ' ')"
    done
done
podman --log-level error rmi --all --force >"$context/log"
finish
