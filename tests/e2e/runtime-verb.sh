#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# "jail-ai-hook runtime" as a program: what of a bundle it changes, what reaches the runtime, and where a rejection is written. What the words of engines mean
# says the unit suite; containers that engines start by it are in the themes docker and containerd.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"

hook=$build/hook/jail-ai-hook
default=$lib/../data/config/podman-4.3-default.json
work=$lab/runtime
bundle=$work/bundle
notice=$lib/../../hooks.d/notice.md
settings=/etc/jail-ai-hook.conf # the view's own
mkdir "$work" "$bundle"
# A runtime that says how it was called.
cat >"$work/told" <<'SCRIPT'
#!/bin/sh
printf '%s;' "$@"
printf '%s;%s;%s' "$GIFT" "$(umask)" "$(cat <&7)"
SCRIPT
chmod +x "$work/told"
echo gift >"$work/gift"
entry='{"path":"'$hook'","args":["jail-ai-hook","createRuntime","--if-asked"],"env":["LC_ALL=C"],"timeout":10}'

# with VALUE [FILTER]: podman's default config.json with that annotation
with() { jq -c --arg value "$1" ".annotations.\"jail-ai.block-host\" = \$value | ${2:-.}" "$default"; }

# call WORD...: the hook with these; its status, and what it has printed, in $status and $said
call() {
    status=0
    rm -f "$work/log"
    said=$(umask 027 && GIFT=own PATH=$work:$PATH "$@" 7<"$work/gift" 2>"$work/err") || status=$?
    logged call >"$work/logged"
}

# started NAME [SETTING]...: create, of the bundle with the config.json on standard input
started() {
    local name=$1
    shift
    cat >"$bundle/config.json"
    cp "$bundle/config.json" "$work/before"
    call "$hook" runtime "$@" -- "$work/told" --log "$work/log" --log-format json create --bundle "$bundle" id
    case $name in
        rejected*) equal "$name: the runtime is not called" '' "$said" ;;
        *) equal "$name: the runtime has its words, environment, mask and descriptors" \
            "0 --log;$work/log;--log-format;json;create;--bundle;$bundle;id;own;0027;gift" "$status $said" ;;
    esac
}

unchanged() {
    started "$@"
    equal "$1: config.json is as it was" same "$(cmp -s "$bundle/config.json" "$work/before" && echo same)"
    equal "$1: nothing is said" '' "$(cat "$work/err" "$work/logged")"
}

# rejected NAME REASON STATUS [SETTING]...
rejected() {
    local reason=$2 expected=$3
    started "rejected, $1" "${@:4}"
    equal "rejected, $1: ends with $expected" "$expected" "$status"
    matches "rejected, $1: the runtime's log says why" "^error jail-ai-hook: rejected: .*$reason" "$(jq -r '"\(.level) \(.msg)"' "$work/log")"
    matches "rejected, $1: so does standard error, in one line" "^jail-ai-hook: rejected: [^|]*${reason}[^|]*\$" "$(paste -sd '|' "$work/err")"
    matches "rejected, $1: and syslog" "^<27>[^|]*${reason}[^|]*\$" "$(paste -sd '|' "$work/logged")"
    equal "rejected, $1: config.json is as it was" same "$(cmp -s "$bundle/config.json" "$work/before" && echo same)"
}

hooks_of() { jq -c '.hooks.createRuntime' "$bundle/config.json"; }

jq -c 'del(.annotations."jail-ai.block-host")' "$default" | unchanged 'no annotation'
echo 'not even JSON' | unchanged 'what is none of its business'
with false | unchanged 'false'
with true | started 'true' --notice-file="$notice"
equal 'true: the hook is added' "[$entry]" "$(hooks_of)"
equal 'true: without CAP_NET_RAW, as precreate answers' same \
    "$("$hook" precreate --add-hook --notice-file="$notice" <"$work/before" | jq -cS 'del(.hooks)' | cmp -s - <(jq -cS 'del(.hooks)' "$bundle/config.json") && echo same)"
logged precreate >"$work/logged"
cp "$bundle/config.json" "$work/once"
unchanged 'its own answer' <"$work/once"
with audit | started 'audit'
equal 'audit: the hook is added, and nothing dropped' "[$entry] true" \
    "$(hooks_of) $(jq 'any(.process.capabilities.bounding[]; . == "CAP_NET_RAW")' "$bundle/config.json")"
with true '.hooks.createRuntime = [{path: "/other"}]' | started 'beside another hook'
equal 'beside another hook: it is the last' "[{\"path\":\"/other\"},$entry]" "$(hooks_of)"
jq -c 'del(.annotations."jail-ai.block-host")' "$default" | started 'a setting' --block-host=true --also=private
equal 'a setting: the hook is called with it' '["jail-ai-hook","createRuntime","--if-asked","--block-host=true","--also=private"]' \
    "$(jq -c '.hooks.createRuntime[0].args' "$bundle/config.json")"
echo 'block-host = true' >"$settings"
jq -c 'del(.annotations) | .hostname = "buildkitsandbox"' "$default" >"$bundle/config.json"
call "$hook" runtime -- "$work/told" --root /run/containerd/runc/buildkit --log "$work/log" --log-format json create --bundle "$bundle" step
equal "a step of BuildKit's that containerd runs, settings of the machine: the hook is added" "[$entry]" "$(hooks_of)"
rm "$settings"
with true >"$work/template"
chmod 640 "$work/template"
chown 65534:65533 "$work/template"
cp -p "$work/template" "$bundle/config.json"
call "$hook" runtime -- "$work/told" create --bundle "$bundle" id
equal 'owner and mode stay, and nothing lies beside it' '65534 65533 640 config.json' "$(stat -c '%u %g %a' "$bundle/config.json") $(ls -A "$bundle")"

# What the notice is, the unit suite says: whether the variable names a file, and which is bound.
noticed() {
    jq -r '[(.process.env[] | select(startswith("JAIL_AI_NOTICE=")) | endswith("More: /run/jail-ai-hook.md")),
        (.mounts[] | select(.destination == "/run/jail-ai-hook.md") | .source)] | join(" ")' "$bundle/config.json"
}
# gets NAME EXPECTED [SETTING]...: with the notice's file named
gets() {
    started "$1" --notice-file="$notice" "${@:3}"
    equal "$1: the notice" "$2" "$(noticed)"
}
with true | gets 'the notice' "true $notice"
with true '.mounts += [{destination: "/run/jail-ai-hook.md", type: "bind", source: "/mine", options: ["bind"]}]' | gets 'a mount in its place' 'false /mine'
with true '.mounts += [{destination: "/run", type: "bind", source: "/mine", options: ["bind"]}]' | gets 'a mount at /run' false
with true '.annotations."jail-ai.block-host.notice" = "false"' | gets 'notice=false' ''
with true | gets 'notice=false, a setting' '' --notice=false
with audit | gets 'audit, which denies nothing' ''
with true | started 'a file that is none' --notice-file=/nonexistent/notice.md
equal 'a file that is none: the variable alone' false "$(noticed)"
with true >"$bundle/config.json"
call "$hook" runtime --notice-file="$notice" -- "$work/told" run --bundle "$bundle" id
equal 'run, whose files may become an image: the variable alone' false "$(noticed)"
mkdir "$bundle/rootfs"
mount -t tmpfs -o ro tmpfs "$bundle/rootfs"
with true '.root.path = "rootfs"' | gets 'a root in read-only files' false
with true ".root.path = \"$bundle/rootfs\"" | gets 'the same by its whole path' false
with true '.root.path = "rootfs" | .mounts += [{destination: "/run", type: "tmpfs"}]' | gets 'the same with a tmpfs at /run' "true $notice"
mount -o remount,rw "$bundle/rootfs"
with true '.root.path = "rootfs"' | gets 'a root that can be written' "true $notice"
umount "$bundle/rootfs"
rmdir "$bundle/rootfs"

with yes | rejected 'a mistyped value' "'yes'" 65
with true | sed 's/$/x/' | rejected 'what is not JSON' 'not JSON: byte' 65
with true '.hooks.createRuntime = {}' | rejected 'hooks of another type' "'createRuntime' is an object" 65
with true '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]' | rejected 'a capability' 'CAP_SYS_ADMIN' 78
(with true; head -c 16777216 /dev/zero | tr '\0' ' ') | rejected 'more than it reads' 'more than 16777216 bytes' 65
echo 'block-hots = true' >"$settings"
with true | rejected 'wrong settings of the machine' 'block-hots' 78
call "$hook" runtime -- "$work/told" kill id 9
equal 'the same: other calls go on' '0 kill;id;9;own;0027;gift' "$status $said"
rm "$settings"

with true >"$bundle/config.json"
call "$hook" runtime -- "$work/told" --log "$work/log" create --bundle "$work/none" id
matches 'without a bundle: nothing is started' "^66  .*level=error msg=.*rejected: bundle: open '$work/none'" "$status $said $(cat "$work/log")"
mount --bind "$bundle" "$bundle"
mount -o remount,bind,ro "$bundle"
call "$hook" runtime -- "$work/told" create --bundle "$bundle" id
matches 'where config.json cannot be changed: nothing is started' '^7[47]  .*Read-only file system' "$status $said $(<"$work/err")"
umount "$bundle"
call "$hook" runtime -- "$work/nowhere" create --bundle "$bundle" id
matches 'without a runtime' "^69  .*run '$work/nowhere': No such file" "$status $said $(<"$work/err")"
call "$hook" runtime
matches 'without its name' '^64  .*-- RUNTIME is missing' "$status $said $(<"$work/err")"

for name in runc crun; do
    ln -s told "$work/$name"
    ln -s "$hook" "$work/jail-ai-$name"
    call "$work/jail-ai-$name" --version
    equal "jail-ai-$name: runs the runtime in PATH" '0 --version;own;0027;gift' "$status $said"
    with true >"$bundle/config.json"
    call "$work/jail-ai-$name" run --bundle="$bundle" id
    equal "jail-ai-$name: adds the hook" "0 run;--bundle=$bundle;id;own;0027;gift [$entry]" "$status $said $(hooks_of)"
done
with true >"$bundle/config.json"
call env --ignore-signal=CHLD "$hook" runtime -- "$work/told" create --bundle "$bundle" id
equal 'an engine that ignores the end of its children: the hook is added' "[$entry]" "$(hooks_of)"
call setpriv --reuid 65534 --regid 65533 --clear-groups "$hook" runtime -- "$work/told" --version
equal 'it needs no privilege of its own' '0 --version;own;0027;gift' "$status $said"
rm -r "$work"
finish
