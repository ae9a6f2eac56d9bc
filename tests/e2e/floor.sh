#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every container of the machine by /etc/jail-ai-hook.conf and the hooks as they are installed: containers without annotations, bundles, and the RUN steps
# of a build, for which podman calls the hook as well. Without that file a container that doesn't ask starts as if there were no hook.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=refusal.sh
. "$lib/refusal.sh"

settings=/etc/jail-ai-hook.conf read_by_builds=/etc/containers/oci/hooks.d # in the view's own copy of /etc
context=$lab/build
mkdir "$context"
tar -C "$lab/rootfs" -c . | podman --log-level error import - localhost/plain >"$context/log" 2>&1
echo 'FROM localhost/plain' >"$context/Containerfile"
echo "RUN [\"/probe\", \"tcp\", \"$host_v4\", \"$port\", \"--\", \"tcp\", \"$internet_v4\", \"$port\"]" >>"$context/Containerfile"
trap 'rm -rf "$settings" "$read_by_builds"; podman --log-level error rmi --all --force >"$context/log"; report_exit' EXIT

# Both stages, from the build tree; createRuntime alone is $lab/hooks.d.
hooks=$build/hooks.d

floor_is() { printf '%s\n' "$@" >$settings; }

# alive RUNTIME NAME RESULTS OPTION...: a container that probes the host, a port of it that some settings allow, and the internet
alive() {
    local runtime=$1 name="$1, $2" expected=$3
    shift 3
    logged before >"$lab/logged"
    if ! start floor "$runtime" --network dual "$@" -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port" -- \
        tcp "$host_second_v4" "$port" -- tcp "$internet_v4" "$port"; then
        not_ok "$name: starts" "$(why floor)"
        return 0
    fi
    equal "$name: what it reaches" "$expected" "$(awk '$1 == "tcp" { print $NF }' <<<"$lines" | paste -sd ' ')"
}

# build_reaches OPTION...: what its RUN step gives, one word each
build_reaches() {
    podman --log-level error --runtime "$lab/bin/$runtime" build --no-cache --network dual --cap-drop=NET_RAW "$@" "$context" 2>"$lab/build.err" >"$lab/build.out" ||
        echo "podman build failed: $(tail -n 3 "$lab/build.err")" >&2
    awk '$1 == "tcp" { print $NF }' "$lab/build.out" | paste -sd ' '
}

bundle_reaches() { # FILTER of config.json
    "$lib/bundle.sh" "$lab/bundle" "$lab/rootfs" --hook "$build/hook/jail-ai-hook" -- /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port"
    jq ".hooks.createRuntime[0].args += [\"--if-asked\"] | $1" "$lab/bundle/config.json" >"$lab/config.json"
    mv "$lab/config.json" "$lab/bundle/config.json"
    "$lab/bin/$runtime" --root "$lab/state" run --bundle "$lab/bundle" bundle 2>&1 | awk '{ print $NF }' | paste -sd ' '
}

# rejects_all NAME REASON: the settings file keeps a container from starting that asks for nothing
rejects_all() {
    local name="$runtime, a settings file that $1" words podman_status=0
    logged before >"$lab/logged"
    words=$(engine "$runtime" run --rm --network none --rootfs "$lab/rootfs" /bin/busybox echo ran 2>"$lab/refused.err") || podman_status=$?
    equal "$name: podman fails with 126, and nothing ran" 126 "$podman_status$words"
    matches "$name: syslog has one line with the reason" "^<27>[^|]*jail-ai-hook[^|]*$settings: $2[^|]*\$" "$(logged "$name" | paste -sd '|')"
    equal "$name: nothing is attached" '' "$(attached_anywhere)"
}

# refused_here NAME STATUS REASON OPTION...: see refusal.sh
refused_here() {
    local name=$1 status=$2 reason=$3
    shift 3
    logged before >"$lab/logged"
    refused "$name" "$runtime" "$status" "$reason" --network none "$@"
}

mkdir -p $read_by_builds
for runtime in crun runc; do
    name='without a settings file'
    rm -f $settings
    cp "$build/hooks.d/jail-ai-hook.json" $read_by_builds
    alive "$runtime" "$name" 'reached reached reached'
    equal "$runtime, $name: one that doesn't ask has no program, and no line in the log" '' "$(attached_anywhere)$(logged "$name")"
    remove "$runtime" floor
    alive "$runtime" "$name, one that asks" 'EPERM EPERM reached' "${jailed[@]}"
    remove "$runtime" floor
    equal "$runtime, $name: a build reaches what it likes" 'reached reached' "$(build_reaches)"
    equal "$runtime, $name: so does a bundle" 'reached reached' "$(bundle_reaches .)"
    for key in jailai.block-host Jail-AI.block-host jail_ai.block-host jail-ai-block-host; do
        refused_here "$name, $key" 65 "unknown annotation '$key': write jail-ai.block-host" --annotation "$key=true"
    done

    name='with one'
    floor_is 'block-host = true' "allow = [\"$host_second_v4:$port\"]" 'enforce = true'
    alive "$runtime" "$name" 'EPERM reached reached'
    equal "$runtime, $name: the denial is counted" 'local 1' "$(denials "$(cgroup_of floor)" | grep -v '^multicast')"
    equal "$runtime, $name: the programs are on its cgroup and nowhere else" "$(programs "$(cgroup_of floor)" | grep -v '^jail_abs_')" "$(attached_anywhere)"
    remove "$runtime" floor
    refused_here "$name, an annotation that loosens" 65 'the annotations loosen what is enforced on this machine' --annotation jail-ai.block-host=false
    refused_here "$name, what can't be jailed, though it asks to run" 65 'they let the container run unprotected' --pid=host \
        --annotation jail-ai.block-host.on-failure=run
    refused_here "$name, what can't be jailed" 78 'it sees processes that are not its own' --pid=host
    equal "$runtime, $name: a build finds the hook by itself, and doesn't reach the host" 'EPERM reached' "$(build_reaches)"
    equal "$runtime, $name: nor does one that is given the hook" 'EPERM reached' "$(build_reaches --hooks-dir "$lab/hooks.d")"
    for annotations in 'del(.annotations)' '.annotations = {}' '.annotations = {"a": "b"}'; do
        equal "$runtime, $name: nor does a bundle with $annotations" 'EPERM reached' "$(bundle_reaches "$annotations")"
    done

    # Hence the JSON of that stage lies in a directory that only containers.conf names, which builds don't read.
    equal "$runtime: a build whose directory has the stage precreate doesn't run" ' unknown stage "precreate"' \
        "$(build_reaches --hooks-dir "$build/hooks.d") $(grep -o 'unknown stage.*' "$lab/build.err")"
    rm $read_by_builds/*
    sed "s#^hooks_dir.*#hooks_dir = [\"$build/hooks.d\"]#" "$CONTAINERS_CONF" >"$lab/containers.conf"
    equal "$runtime: one where containers.conf names that directory does" 'reached reached' "$(CONTAINERS_CONF=$lab/containers.conf build_reaches)"

    floor_is 'block-host'
    rejects_all 'is no TOML' 'not TOML: line 1'
    floor_is 'blok-host = true'
    rejects_all 'has an unknown key' "line 1: unknown setting 'blok-host'"
    floor_is 'block-host = true'
    chmod 666 $settings
    rejects_all 'others may write' "another user than root can write it: chown root $settings; chmod 644 $settings"
    rm $settings
    mkdir $settings
    rejects_all 'is a directory' 'not a regular file'
    rmdir $settings
done
finish
