#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A container that asks for a jail and can't have it does not run: podman fails, the reason is in syslog (and, where the runtime shows
# it, in podman's own words), and neither a container nor a cgroup nor a program is left.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

# STATUS is the hook's own, as the runtime tells it; REASON must be in the message; runc refuses --cgroups=disabled by itself.
requests=$(
    cat <<'TABLE'
# NAME                      RUNTIMES   STATUS REASON                   OPTIONS
mistyped-value              crun,runc  65     jail-ai.block-host       --annotation=jail-ai.block-host=yes
value-in-capitals           crun,runc  65     jail-ai.block-host       --annotation=jail-ai.block-host=True
empty-value                 crun,runc  65     jail-ai.block-host       --annotation=jail-ai.block-host=
unknown-key                 crun,runc  65     jail-ai.blok-host        --annotation=jail-ai.blok-host=true
unknown-key-beside-a-good   crun,runc  65     jail-ai.blok-host        --annotation=jail-ai.blok-host=true --annotation=jail-ai.block-host=true
mistyped-allow              crun,runc  65     jail-ai.block-host.allwo --annotation=jail-ai.block-host=true --annotation=jail-ai.block-host.allwo=host:4000
no-cgroup-of-its-own        crun       78     cgroup                   --annotation=jail-ai.block-host=true --cgroups=disabled
TABLE
)

exec {syslog}< <("$build/tests/probe" listen log /dev/log)
read -r -t 10 -u "$syslog" _

# logged: what syslog has got since the last time. Datagrams keep their order, so a mark of our own is the end of it.
logged() {
    local line
    logger --socket /dev/log --tag lab "mark $1"
    while IFS= read -r -t 10 -u "$syslog" line; do
        [[ $line != *"mark $1"* ]] || return 0
        echo "$line"
    done
}

refused() {
    local name="$1, $runtime" options words status=0 id
    read -ra options <<<"$4"
    words=$(engine "$runtime" run --rm --name refused --cidfile "$lab/refused.id" --network host "${options[@]}" \
        --rootfs "$lab/rootfs" /probe tcp $host_v4 $port 2>"$lab/refused.err") || status=$?
    id=$(<"$lab/refused.id")
    rm "$lab/refused.id"
    equal "$name: podman fails with 126" 126 "$status"
    equal "$name: nothing ran" '' "$words"
    case $runtime in
        crun) matches "$name: crun tells the exit status" "exit code: $2\)" "$(<"$lab/refused.err")" ;;
        runc) matches "$name: runc tells exit status and reason" "exit status $2.*jail-ai-hook: .*$3" "$(<"$lab/refused.err")" ;;
    esac
    mapfile -t messages < <(logged "$name")
    equal "$name: syslog has one line" 1 "${#messages[@]}"
    matches "$name: it is an error and names hook, container and reason" "^<27>.*jail-ai-hook.*$id.*$3" "${messages[0]-}"
    equal "$name: no container is left" peer "$(podman ps --all --format '{{.Names}}')"
    equal "$name: no cgroup is left" '' "$(find /sys/fs/cgroup -name "*$id*")"
    equal "$name: nothing is attached, wherever" '' "$(attached_anywhere)"
}

for runtime in crun runc; do
    equal "$runtime: a good request runs" EPERM \
        "$(engine "$runtime" run --rm --network host "${jailed[@]}" --rootfs "$lab/rootfs" /probe tcp $host_v4 $port)"
    matches "$runtime: a good request logs what was done, for information" '^<30>[^|]*jail-ai-hook[^|]*host blocked[^|]*$' "$(logged good | paste -sd '|')"
    while read -r name runtimes status reason options; do
        case $name,$runtimes, in '#'*) ;; *,"$runtime",*) refused "$name" "$status" "$reason" "$options" ;; esac
    done <<<"$requests"
done
finish
