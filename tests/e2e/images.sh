#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# An image's annotations, which podman before 4.5.1 gives to its containers, loosen nothing: with the installed podman, as root and as a user.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=images.sh
. "$lib/images.sh"

images_podman() {
    podman --log-level error "$@"
}

number=$(podman --version | awk '{ print $3 }')
merged=keeps
[ "$(printf '%s\n' "$number" 4.5.1 | sort -V | head -n 1)" = 4.5.1 ] || merged=merges

# floor FLAG...: every container of the machine is jailed, whatever its image says
floor() {
    local json
    rm -rf "$lab/hooks.d.images"
    mkdir "$lab/hooks.d.images"
    for json in "$build"/hooks.d/*.json; do
        jq '.hook.args += ["--block-host=true"] + $ARGS.positional | .when = {always: true}' --args -- "$@" <"$json" >"$lab/hooks.d.images/${json##*/}"
    done
    hooks=$lab/hooks.d.images
}

# check_floor WHO: precreate, which doesn't see whose an annotation is, leaves CAP_NET_RAW to what asks to be watched.
check_floor() {
    local who=$1 options=(--network dual --cap-drop=NET_RAW)
    floor
    equal "$who, the administrator's default: an image that loosens everything is jailed" 'EPERM reached' "$(image_reaches loose - -- "${options[@]}")"
    equal "$who, the administrator's default: so is one that asks to be watched" 'EPERM reached' "$(image_reaches watching - -- "${options[@]}")"
    equal "$who, the administrator's default: the user may loosen it" 'reached reached' "$(image_reaches plain =false -- "${options[@]}")"
    floor --dns=off
    options+=("--dns=$bridge_v4")
    image_target=$bridge_v4 image_port=53 # where nobody listens
    equal "$who, the administrator's dns=off: not by an image's dns=auto" 'EPERM reached' "$(image_reaches loose - -- "${options[@]}")"
    equal "$who, the administrator's dns=off: but by the user's" 'ECONNREFUSED reached' "$(image_reaches plain .dns=auto -- "${options[@]}")"
    unset image_target image_port hooks
}

# check_later WHO: podman gives a container the annotations of its image when it is created, and the hook compares them at each start.
check_later() {
    local who=$1 time image storage
    engine "$runtime" create --name made --network dual --annotation jail-ai.block-host=true localhost/loose /probe tcp "$host_v4" "$port" >"$lab/made"
    for time in first second; do
        equal "$who, created before: jailed when it is started, the $time time" EPERM "$(engine "$runtime" start --attach made | awk '{ print $NF }')"
    done
    remove "$runtime" made
    [ "$merged" = merges ] || return 0
    # Once it is gone, nobody knows what the image had. What the user allows would be lost as well, and the log says why.
    engine "$runtime" create --name lost --network dual --annotation jail-ai.block-host=true --annotation "jail-ai.block-host.allow=host:$port" \
        localhost/plain /probe tcp "$host_v4" "$port" >"$lab/made"
    image=$(podman inspect --format '{{.Image}}' lost)
    storage=$(podman info --format '{{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-images')
    equal "$who, image there: what the user allows passes" reached "$(engine "$runtime" start --attach lost | awk '{ print $NF }')"
    mv "$storage/$image" "$storage/away"
    logged "$who" >"$lab/logged"
    equal "$who, image gone: nothing loosens" EPERM "$(engine "$runtime" start --attach lost | awk '{ print $NF }')"
    mv "$storage/away" "$storage/$image"
    matches "$who, image gone: the log says so" "has.no.effect:.it.may.be.the.image.s.*image $image" "$(logged "$who" | paste -sd '|')"
    remove "$runtime" lost
}

# check_verify WHO: with a container for which no hook was called
check_verify() {
    local status=0
    [ "$merged" = merges ] || return 0
    podman --log-level error --runtime "$lab/bin/$runtime" run --detach --name open --network none localhost/loose /bin/busybox sleep 1000 >"$lab/made"
    echo 'block-host = true' >/etc/jail-ai-hook.conf
    "$build/hook/jail-ai-hook" verify >"$lab/verify" 2>&1 || status=$?
    rm /etc/jail-ai-hook.conf
    matches "$1, the machine's settings: verify doesn't go by an image that loosens everything" '^1 .*\(open\): not jailed: ' "$status $(paste -sd ' ' "$lab/verify")"
    remove "$runtime" open
}

make_images
for runtime in crun runc; do
    who="podman $number, $runtime"
    check_images "$who" "$merged" --network dual
    check_others "$who" "$merged" --network dual
    check_floor "$who"
    check_later "$who"
    check_verify "$who"
done
podman --log-level error rmi --all --force >"$lab/removed"

# shellcheck source=rootless.sh
. "$lib/rootless.sh"

images_podman() {
    as "$user" podman --log-level error "$@"
}

rootless_up
make_images
for runtime in crun runc; do
    options=(--network slirp4netns)
    [ "$runtime" = runc ] || options+=(--cgroups=split)
    check_images "podman $number, rootless, $runtime" "$merged" "${options[@]}"
done
finish
