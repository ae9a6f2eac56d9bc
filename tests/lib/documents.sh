# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Runs what the documents have in fenced blocks (see tests/docs/commands), as it is there: IMAGE is an image of the lab whose command probes, podman is
# the lab's. To be sourced after containers.sh.

: "${build:?the build directory}" "${lib:?}" "${lab:?}" "${internet_v4:?}" "${port:?}"
sources=$(readlink -f "$lib/../..")
image=localhost/agent

# in_words COMMAND...: the results that probes print, be it to a terminal, one word each; what podman says goes to $lab/document.err
in_words() {
    "$@" 2>"$lab/document.err" | tr -d '\r' | awk '$1 == "tcp" || $1 == "udp" { print $NF }' | paste -sd ' '
}

block() { "$sources/tests/docs/commands" --block "$1"; }

# type_in TEXT: as a person would, in a shell of its own
type_in() { (cd "$lab/work" && eval "$1"); }

# make_image ROOTFS PODMAN...: $image, whose programs are busybox under several names and /probe
make_image() {
    local rootfs=$1 name
    shift
    mkdir -p "$lab/work"
    rm -rf "$lab/image"
    cp -a "$rootfs" "$lab/image"
    for name in wget sleep cat true; do ln -sf busybox "$lab/image/bin/$name"; done
    tar -C "$lab/image" -c . | "$@" import - "$image" >"$lab/imported" 2>&1
}

# drop_containers: what blocks have left
drop_containers() {
    local id
    for id in $(podman ps --all --quiet --filter "ancestor=$image"); do podman rm --force --time 0 "$id" >"$lab/removed" 2>&1; done
}

# document NAME: the block is in $text, to be run by the caller.
# document NAME EXPECTED PROBE...: it is a "podman run", in which the probes give what is expected; and everything is reached without the jail
document() {
    local name=$1 expected=${2-}
    text=$(block "$name")
    [ $# -gt 1 ] || return 0
    shift 2
    text=${text//IMAGE/$image /probe $*}
    equal "documents: $name" "$expected" "$(in_words type_in "$text")"
    drop_containers
    equal "documents: $name, without the jail" "${expected//EPERM/reached}" "$(in_words type_in "${text//block-host=true/block-host=false}")"
    drop_containers
}

# masked: what differs from run to run
masked() {
    sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g; s/\b[0-9a-f]{64}\b/ID/g; s/\b[0-9a-f]{12}\b/SHORT-ID/g; s/process [0-9]+/process N/g'
}

# transcript: what $text has, with what the commands in it, after "# ", print now
transcript() {
    local line
    while IFS= read -r line; do
        [[ $line == '# '* ]] || continue
        echo "$line"
        line=${line#??}
        type_in "${line//IMAGE/$image}" 2>&1 || : # some fail, as they should
    done <<<"$text"
}
