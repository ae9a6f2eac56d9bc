#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# "jail-ai-hook precreate" as a program: what it reads, writes and logs, how it ends, and what it needs. What it makes of a config.json says
# the unit suite, and of a container the theme precreate.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"

hook=$build/hook/jail-ai-hook
default=$lib/../data/config/podman-4.3-default.json
work=$lab/verb
mkdir "$work"

# with VALUE [FILTER]: podman's default config.json with that annotation
with() {
    jq -c --arg value "$1" ".annotations.\"jail-ai.block-host\" = \$value | ${2:-.}" "$default"
}

# given NAME EXPECTED-STATUS [FLAG]...: the config.json on standard input, answered in $work/out
given() {
    local name=$1 expected=$2 status=0
    shift 2
    cat >"$work/in"
    "$hook" precreate "$@" <"$work/in" >"$work/out" 2>"$work/err" || status=$?
    logged "$name" >"$work/logged"
    equal "$name: ends with $expected" "$expected" "$status"
}

same() { cmp -s "$work/in" "$work/out" && echo same; }

unchanged() {
    given "$@"
    equal "$1: the answer is what it got, byte for byte" same "$(same)"
    equal "$1: it says nothing" '' "$(cat "$work/err" "$work/logged")"
}

refused() {
    local reason=$2
    given "$1" "$3" "${@:4}"
    equal "$1: nothing is answered" '' "$(cat "$work/out")"
    matches "$1: standard error has one line with the reason" "^jail-ai-hook: rejected: [^|]*${reason}[^|]*\$" "$(paste -sd '|' "$work/err")"
    matches "$1: syslog has it too" "^<27>[^|]*${reason}[^|]*\$" "$(paste -sd '|' "$work/logged")"
}

changed() {
    given "$@"
    equal "$1: without CAP_NET_RAW, and with rules for socket families" '0 true' \
        "$(jq -c '[.process.capabilities[] | index("CAP_NET_RAW") // empty] | length' "$work/out") $(jq '.linux.seccomp.syscalls | any(.args[0].value == 40)' "$work/out")"
}

jq -c 'del(.annotations."jail-ai.block-host")' "$default" | unchanged 'no annotation' 0
echo '{ "no": ["annotations", 1e300, 18446744073709551616 ] }' | unchanged 'no annotations at all' 0
with false | unchanged 'false' 0
with audit | unchanged 'audit, which takes nothing away' 0

with true | changed 'true' 0
matches 'true: syslog lists what was dropped, for information' '^<30>[^|]*container 4a4a[^|]*dropped: CAP_NET_RAW; sockets[^|]*$' "$(paste -sd '|' "$work/logged")"
cp "$work/out" "$work/once"
unchanged 'its own answer' 0 <"$work/once"
# What the notice is, the unit suite says.
equal 'true: the container gets the variable, and no file unless one is named' 'true false' \
    "$(jq '.process.env | any(startswith("JAIL_AI_NOTICE="))' "$work/out") $(jq '.mounts | any(.destination == "/run/jail-ai-hook.md")' "$work/out")"
with true | changed 'a file for the container' 0 --notice-file="$lib/../../hooks.d/notice.md"
equal 'a file for the container: it is bound, read-only' "$lib/../../hooks.d/notice.md ro" \
    "$(jq -r '.mounts[-1] | select(.destination == "/run/jail-ai-hook.md") | .source + " " + (.options | map(select(. == "ro")) | join(""))' "$work/out")"
with true | changed 'a file that is none' 0 --notice-file=/nonexistent/notice.md
equal 'a file that is none: no bind' false "$(jq '.mounts | any(.destination == "/run/jail-ai-hook.md")' "$work/out")"
with true '.annotations."jail-ai.block-host.notice" = "false"' | changed 'no notice' 0 --notice-file="$lib/../../hooks.d/notice.md"
equal 'no notice: neither' 'false false' \
    "$(jq '.process.env | any(startswith("JAIL_AI_NOTICE="))' "$work/out") $(jq '.mounts | any(.destination == "/run/jail-ai-hook.md")' "$work/out")"
jq -c 'del(.annotations."jail-ai.block-host")' "$default" | changed 'asked by the administrator' 0 --block-host=true
with false | refused 'loosening what is enforced' 'loosen' 65 --enforce --block-host=true

with yes | refused 'a mistyped value' "'yes'" 65
with true '.annotations."jail-ai.blok-host" = "true"' | refused 'an unknown key' 'jail-ai.blok-host' 65
with true '.annotations."jail-ai.block-host.accept" = "vsok"' | refused 'an unknown risk' "'vsok'.*vsock, ia32" 65
with true '.annotations = ["jail-ai.block-host"]' | refused 'annotations of a wrong type' "'annotations' is an array" 65
with true '.process.capabilities.bounding = {}' | refused 'capabilities of a wrong type' "'bounding' is an object" 65
with true '.linux.seccomp.defaultAction = "ALLOW"' | refused 'an unknown action' "'ALLOW' is not an action" 65
printf '' | refused 'nothing' 'empty' 65
with true | head -c 4000 | refused 'half of it' 'not JSON: byte' 65
with true | sed 's/$/x/' | refused 'more behind it' 'not JSON: byte' 65
with true | sed 's/"linux":{/"linux":{"seccomp":null,/' | refused 'a key twice' "duplicate key 'seccomp'" 65
jq -cn '[range(70)] | reduce .[] as $i ({}; {a: .})' | refused 'too deep' 'nested deeper' 65
(with true; head -c 16777216 /dev/zero | tr '\0' ' ') | refused 'more than it reads' 'more than 16777216 bytes' 65
with true | refused 'an unknown flag' "--blok-host" 64 --blok-host=true

contradictory='.linux.seccomp.syscalls += [{names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{index: 0, value: 17, op: "SCMP_CMP_NE"}]},
    {names: ["socket"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 3, op: "SCMP_CMP_EQ"}]}]'
strict='.linux.seccomp.syscalls |= map(select(.names != ["socket"]))'
with true "$strict | $contradictory" | refused 'a profile that contradicts itself' 'linux.seccomp: socket: .*jail-ai.block-host.accept=vsock' 78
with true "$strict | $contradictory | .annotations.\"jail-ai.block-host.on-failure\" = \"run\"" | given 'the same with on-failure=run' 0
equal 'the same with on-failure=run: the answer is what it got' same "$(same)"
matches 'the same with on-failure=run: syslog shouts' '^<26>[^|]*STARTS AS IT IS[^|]*linux.seccomp[^|]*$' "$(paste -sd '|' "$work/logged")"

with true >"$work/in"
status=0
"$hook" precreate <"$work/in" >/dev/full 2>"$work/err" || status=$?
equal 'an answer that nobody takes is an error' '74 jail-ai-hook: rejected: write config.json: No space left on device' "$status $(<"$work/err")"
logged full >"$work/logged"
cp "$hook" "$work/hook"
equal 'it needs no privilege' same "$(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --no-new-privs "$work/hook" precreate <"$work/in" |
    cmp -s - "$work/once" && echo same)"
equal 'it does the same in a user namespace' same "$(setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user "$work/hook" precreate <"$work/in" |
    cmp -s - "$work/once" && echo same)"
finish
