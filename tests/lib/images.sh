# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Images that have annotations of ours, and what containers of them reach. To be sourced after containers.sh and syslog.sh. Needs images_podman, a function
# that runs podman for whoever the containers are.

# A setting of each kind that loosens, without its "jail-ai.block-host"; the mode last.
loosening=(.accept=host-pid .allow=host:1-65535 .dns=auto .on-failure=run "=false")

# Makes the images: "plain" has no annotation, "loose" all that loosen, "watching" audit alone, "tight" one that tightens. "cased" is loose by a manifest whose
# "Annotations" only Go's reader of JSON takes for that. "labelled" has what isn't the manifest's: labels, by a Containerfile, and "configured" the
# annotations in its configuration and in the index.
make_images() {
    : "${lab:?}" "${port:?}"
    local work=$lab/images setting name
    rm -rf "$work"
    mkdir -p "$work/context"
    tar -C "$lab/rootfs" -cf "$work/rootfs.tar" .
    echo 'FROM localhost/plain' | tee "$work/context/Containerfile" >"$work/context/labels"
    for setting in "${loosening[@]}"; do echo "LABEL jail-ai.block-host${setting%%=*}=${setting#*=}"; done >>"$work/context/labels"
    # shellcheck disable=SC2016 # jq's
    write_layout cased '.Annotations = $annotations' . .
    # shellcheck disable=SC2016
    write_layout configured . '.annotations = $annotations | .config.annotations = $annotations' \
        '.annotations = $annotations | .manifests[0].annotations = $annotations'
    chmod -R a+rX "$work"
    {
        images_podman import "$work/rootfs.tar" localhost/plain
        build_image loose "${loosening[@]}"
        build_image watching =audit
        build_image tight .also=203.0.113.0/24
        images_podman build --format oci --file "$work/context/labels" --tag localhost/labelled "$work/context"
        for name in cased configured; do images_podman tag "$(images_podman pull --quiet "oci:$work/$name")" "localhost/$name"; done
    } >"$work/log" 2>&1
}

# build_image NAME SETTING...: each an annotation without its "jail-ai.block-host"
build_image() {
    local name=$1 setting options=()
    shift
    for setting in "$@"; do options+=(--annotation "jail-ai.block-host$setting"); done
    images_podman build --format oci "${options[@]}" --tag "localhost/$name" "$lab/images/context"
}

# add_blob LAYOUT FILE: moves it to where an OCI layout has it; prints its descriptor
add_blob() {
    local digest
    digest=$(sha256sum "$2" | cut -d ' ' -f 1)
    jq -nc --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$2")" '{digest: $digest, size: $size}'
    mv "$2" "$1/blobs/sha256/$digest"
}

# write_layout NAME MANIFEST CONFIGURATION INDEX: an OCI layout in $lab/images/NAME, each part of it what the filter of jq makes of an ordinary one, with
# $annotations, those that loosen
write_layout() {
    local layout=$lab/images/$1 annotations layer
    annotations=$(printf '%s\n' "${loosening[@]}" | jq -nR '[inputs | capture("^(?<key>[^=]*)=(?<value>.*)") | .key |= "jail-ai.block-host" + .] | from_entries')
    mkdir -p "$layout/blobs/sha256"
    echo '{"imageLayoutVersion": "1.0.0"}' >"$layout/oci-layout"
    cp "$lab/images/rootfs.tar" "$layout/part"
    layer=$(add_blob "$layout" "$layout/part")
    jq -nc --argjson layer "$layer" --argjson annotations "$annotations" \
        "{architecture: \"amd64\", os: \"linux\", config: {}, rootfs: {type: \"layers\", diff_ids: [\$layer.digest]}} | $3" >"$layout/part"
    jq -nc --argjson layer "$layer" --argjson config "$(add_blob "$layout" "$layout/part")" --argjson annotations "$annotations" \
        "\"application/vnd.oci.image\" as \$type | {schemaVersion: 2, mediaType: \"\(\$type).manifest.v1+json\",
            config: (\$config + {mediaType: \"\(\$type).config.v1+json\"}), layers: [\$layer + {mediaType: \"\(\$type).layer.v1.tar\"}]} | $2" >"$layout/manifest"
    jq -nc --argjson manifest "$(add_blob "$layout" "$layout/manifest")" --argjson annotations "$annotations" \
        "{schemaVersion: 2, manifests: [\$manifest + {mediaType: \"application/vnd.oci.image.manifest.v1+json\"}]} | $4" >"$layout/index.json"
}

# image_reaches IMAGE SETTING... -- OPTION...: TCP to the host ($image_target, $image_port, or its first address and $port) and to the internet end, or "refused";
# each SETTING an annotation without its "jail-ai.block-host", "-" none
image_reaches() {
    local image=$1 options=() setting words podman_status=0
    shift
    while [ "$1" != -- ]; do
        [ "$1" = - ] || options+=(--annotation "jail-ai.block-host$1")
        shift
    done
    shift
    words=$(engine "${runtime:?}" run --rm "$@" "${options[@]}" "localhost/$image" /probe tcp "${image_target:-${host_v4:?}}" "${image_port:-$port}" -- \
        tcp "${internet_v4:?}" "$port" 2>"$lab/images.err") || podman_status=$?
    case $podman_status in
        126) echo refused ;;
        *) awk '{ print $NF }' <<<"$words" | paste -sd ' ' ;;
    esac
}

# without_effect NAME: the settings of which the log says since the last time that they have none, because the image has them
without_effect() {
    logged "$1" | grep -o "annotation jail-ai.block-host[^ ]* has no effect: the image has the same" |
        sed "s/annotation jail-ai.block-host\(.*\)='\(.*\)' has no effect.*/\1=\2/" | LC_ALL=C sort | paste -sd ' '
}

# What a podman does that gives containers the annotations of their image ("merges"), and one that doesn't ("keeps").
declare -A tightened=([merges]='EPERM EPERM' [keeps]='EPERM reached') same_words=([merges]='EPERM reached' [keeps]='reached reached')
declare -A all=([merges]=${loosening[*]} [keeps]='') all_but_mode=([merges]=${loosening[*]::4} [keeps]='')

# check_loose NAME WHO MERGED OPTION...: an image that loosens everything
check_loose() {
    local name=$1 who="$2, image $1" merged=$3
    shift 3
    logged "$who" >"$lab/logged"
    equal "$who, which loosens everything: nobody asks, not jailed" 'reached reached' "$(image_reaches "$name" - -- "$@")"
    equal "$who, the same: the log names what has no effect" "${all[$merged]}" "$(without_effect "$who")"
    equal "$who: jailed, and nothing of it counts" 'EPERM reached' "$(image_reaches "$name" =true -- "$@")"
    equal "$who, the same: the log names what has no effect" "${all_but_mode[$merged]}" "$(without_effect "$who")"
}

# check_images WHO MERGED OPTION...
check_images() {
    local who=$1 merged=$2
    shift 2
    equal "$who, an image without annotations: jailed" 'EPERM reached' "$(image_reaches plain =true -- "$@")"
    equal "$who, the same: what the user allows passes" 'reached reached' "$(image_reaches plain =true ".allow=host:$port" -- "$@")"
    equal "$who, an image that tightens" "${tightened[$merged]}" "$(image_reaches tight =true -- "$@")"
    check_loose loose "$who" "$merged" "$@"
    who+=', image loose'
    equal "$who: the risk that it accepts isn't one that the user accepts" refused "$(image_reaches loose =true -- --pid=host "$@")"
    equal "$who: what the user allows in other words passes" 'reached reached' "$(image_reaches loose =true ".allow=host:$port" -- "$@")"
    logged "$who" >"$lab/logged"
    equal "$who: nobody can tell whose the same words are" "${same_words[$merged]}" "$(image_reaches loose =true .allow=host:1-65535 -- "$@")"
    equal "$who, the same: the log names them" "${all_but_mode[$merged]}" "$(without_effect "$who")"
    equal "$who: a space makes them the user's" 'reached reached' "$(image_reaches loose =true '.allow=host:1-65535 ' -- "$@")"
    equal "${who%,*}, an image that asks to be watched: nobody asks, not jailed" 'reached reached' "$(image_reaches watching - -- "$@")"
}

# check_others WHO MERGED OPTION...: images whose annotations are somewhere else
check_others() {
    local who=$1 merged=$2 name
    shift 2
    check_loose cased "$who" "$merged" "$@"
    for name in labelled configured; do
        equal "$who, image $name, whose annotations aren't the manifest's: nobody asks, not jailed" 'reached reached' "$(image_reaches $name - -- "$@")"
        equal "$who, the same: nobody calls the hook" '' "$(logged "$who" | grep jail-ai)"
        equal "$who, image $name: jailed" 'EPERM reached' "$(image_reaches $name =true -- "$@")"
        equal "$who, the same: nothing of it comes to the hook" '' "$(without_effect "$who")"
    done
}
