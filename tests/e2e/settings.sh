#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The administrator's settings, flags in the JSON of hooks.d: defaults that annotations may change, with --enforce a floor that they may only raise.
# And on-failure=run, by which what can't be protected starts all the same, as loud as the log allows.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=refusal.sh
. "$lib/refusal.sh"

# hooks_with NAME FLAG...: directories with JSON that calls the hook with the flags, for every container, at both stages, and in NAME.alone at
# createRuntime
hooks_with() {
    local directory="$lab/hooks.d.$1" json
    shift
    mkdir -p "$directory" "$directory.alone"
    for json in "$build"/hooks.d/*.json; do
        jq '.hook.args += $ARGS.positional | .when = {always: true}' --args -- "$@" <"$json" >"$directory/${json##*/}"
    done
    cp "$directory/jail-ai-hook.json" "$directory.alone"
}

hooks_with defaults --block-host=true "--allow=host:$port" --also=link-local
hooks_with floor --enforce --block-host=true "--allow=host:$port" --accept=host-pid
hooks_with run --block-host=true --on-failure=run
hooks_with contradictory --enforce --block-host=true --on-failure=run
hooks_with mistyped --block-host=true --alow=host:80

# reach OPTION...: how TCP to the allowed port of the host, UDP to the same, and TCP to the internet end
reach() {
    engine "$runtime" run --rm --network dual "$@" --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port" -- udp "$host_v4" "$port" -- \
        tcp "$internet_v4" "$port" | awk '{ print $NF }' | paste -sd ' '
}

# HOOKS, what the three probes give, and the annotations, each without its "jail-ai.block-host"
granted=$(
    cat <<TABLE
# HOOKS    WORDS                    ANNOTATIONS
defaults   reached EPERM reached    -
defaults   reached reached reached  .allow=host:$port/udp
defaults   reached EPERM EPERM      .also=203.0.113.0/24
defaults   reached reached reached  =false
defaults   reached reached reached  =audit
floor      reached EPERM reached    -
floor      reached EPERM reached    =true .dns=off .on-failure=refuse .allow=host:$port .accept=host-pid
floor      reached EPERM EPERM      .also=203.0.113.0/24
TABLE
)
loosened=$(
    cat <<TABLE
# REASON                                      ANNOTATION
they.ask.for.less.than.the.block              =false
they.ask.for.less.than.the.block              =audit
they.allow.'host:$port/udp'                   .allow=host:$port/udp
they.allow.'198.51.100.7:$port'               .allow=198.51.100.7:$port
they.let.the.container.run.unprotected        .on-failure=run
they.accept.cap_net_raw                       .accept=cap_net_raw
TABLE
)

annotate() {
    local setting
    annotations=()
    for setting in "$@"; do [ "$setting" = - ] || annotations+=(--annotation "jail-ai.block-host$setting"); done
}

shouts() {
    local id directory=$1
    logged before >"$lab/logged"
    hooks=$lab/hooks.d.$directory
    shift
    rm -f "$lab/shout.id"
    equal "$runtime, $directory: it starts, unprotected" 'reached reached reached' "$(reach --cidfile "$lab/shout.id" "$@")"
    id=$(<"$lab/shout.id")
    matches "$runtime, $directory: the log says so at LOG_CRIT, with the container's id and the reason" \
        "^<26>[^|]*jail-ai-hook[^|]*${id:0:12}[^|]*STARTS UNPROTECTED[^|]*sees processes[^|]*\$" "$(logged after | sed -n '/^<26>/p' | paste -sd '|')"
    equal "$runtime, $directory: nothing is attached" '' "$(attached_anywhere)"
}

# bad_flags HOOKS REASON: who has mistyped them finds the reason in the log, and no container starts meanwhile
bad_flags() {
    local words podman_status=0
    hooks=$lab/hooks.d.$1
    logged before >"$lab/logged"
    words=$(engine "$runtime" run --rm --network none --rootfs "$lab/rootfs" /bin/busybox echo ran 2>"$lab/refused.err") || podman_status=$?
    equal "$runtime, flags that are $1: podman fails with 126, and nothing ran" 126 "$podman_status$words"
    matches "$runtime, flags that are $1: the log says so" "^<27>[^|]*jail-ai-hook[^|]*${2}[^|]*\$" "$(logged "$1" | paste -sd '|')"
}

for runtime in crun runc; do
    while read -r directory first second third settings; do
        case $directory in '#'*) continue ;; esac
        hooks=$lab/hooks.d.$directory
        read -ra words <<<"$settings"
        annotate "${words[@]}"
        equal "$runtime, $directory, ${settings}: as it should be" "$first $second $third" "$(reach "${annotations[@]}")"
    done <<<"$granted"
    logged granted >"$lab/logged"
    while read -r reason setting; do
        case $reason in '#'*) continue ;; esac
        refusing_hooks=$lab/hooks.d.floor.alone
        annotate "$setting"
        refused "floor, $setting" "$runtime" 65 "the annotations loosen what is enforced on this machine: $reason" --network host "${annotations[@]}"
    done <<<"$loosened"
    shouts run --pid=host
    hooks=
    annotate '=true' .on-failure=run
    mkdir -p "$lab/hooks.d.plain"
    cp "$build"/hooks.d/*.json "$lab/hooks.d.plain"
    shouts plain --pid=host "${annotations[@]}"
    bad_flags contradictory 'enforce and on-failure=run contradict each other'
    bad_flags mistyped "unknown option '--alow'"
    hooks=
done
finish
