# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# What an agent in a container finds about its jail, to be sourced after containers.sh and, for users, rootless.sh: both have "engine".

: "${build:?the build directory}" "${lib:?}" "${lab:?}" "${jailed[*]:?}"
version="podman $(podman --version | awk '{ print $3 }')"
# As installed, below directories that every user can enter.
hooks=$lab/notice.d
mkdir -p "$hooks"
install -m 644 "$lib/../../hooks.d/notice.md" "$lab/notice.md"
for json in "$build"/hooks.d/*.json; do
    jq --arg notice "--notice-file=$lab/notice.md" '.hook.args |= map(if startswith("--notice-file=") then $notice else . end)' "$json" >"$hooks/${json##*/}"
done

# The file without its bytes: what a mount point was is left empty, as podman's own are.
# shellcheck disable=SC2016 # for the shell in the container
look='echo "variable=${JAIL_AI_NOTICE-none}"
if [ -s /run/jail-ai-hook.md ]; then /bin/busybox echo "file $(/bin/busybox md5sum </run/jail-ai-hook.md)"; else echo "file none"; fi'
sum=$(md5sum <"$lab/notice.md")

# seen [OPTION]...: by the container's own process. Engines other than podman have their own.
# shellcheck disable=SC2154 # $runtime and $rootfs are the theme's
seen() { engine "$runtime" run --rm "$@" --rootfs "$rootfs" /bin/sh -c "$look" 2>&1; }

# gets NAME TEXT [OPTION]...: the file, and a variable that holds the text
gets() {
    local name=$1 text=$2 found
    shift 2
    found=$(seen "${jailed[@]}" "$@")
    matches "$name: the variable says so" "^variable=This container cannot connect .*$text" "$(head -n 1 <<<"$found")"
    equal "$name: the file is there" "file $sum" "$(tail -n +2 <<<"$found")"
}

# gets_nothing NAME [OPTION]...
gets_nothing() {
    local name=$1
    shift
    equal "$name: neither is there" "variable=none
file none" "$(seen "$@")"
}

check() {
    local name="$version, $runtime"
    gets "$name" 'Nothing is allowed there but DNS\..* More: /run/jail-ai-hook.md$' "$@"
    gets "$name, with a port allowed and more denied" 'Allowed there: DNS, host:11434\. Also denied: private\.' \
        --annotation jail-ai.block-host.allow=host:11434 --annotation jail-ai.block-host.also=private "$@"
    gets "$name, with a port of 127.0.0.1, which is its own" 'Nothing is allowed there but DNS\.' --annotation jail-ai.block-host.allow=127.0.0.1:11434 "$@"
    gets "$name, read-only" 'More: ' --read-only "$@"
    gets "$name, a tmpfs at /run" 'More: ' --tmpfs /run "$@"
    gets_nothing "$name, notice=false" "${jailed[@]}" --annotation jail-ai.block-host.notice=false "$@"
    gets_nothing "$name, audit" --annotation jail-ai.block-host=audit "$@"
    gets_nothing "$name, not asked" "$@"
}
