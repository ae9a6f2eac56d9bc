# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash disable=SC2034 # variables for those who source it
# What an installation of whichever form holds, and a watch over the order of its files, to be sourced after report.sh, by root in a system for the tests
# alone. What matters is that no JSON names a binary that isn't there, at any moment: podman would start containers unprotected, without a word.

scratch=$(mktemp -d)
binary=/usr/libexec/oci/hooks.d/jail-ai-hook
json=/usr/share/containers/oci/hooks.d/jail-ai-hook.json
precreate=/usr/share/jail-ai-hook/podman.d/jail-ai-hook-precreate.json
settings=/etc/containers/containers.conf.d/50-jail-ai-hook.conf
own=/etc/containers/oci/hooks.d/own.json
trap 'rm -rf "$scratch"; report_exit' EXIT

# watch_order: until $scratch/watch is gone. A JSON that is there before and after its binary is missing was there without it.
watch_order() {
    local file polls=0
    while [ -e "$scratch/watch" ]; do
        for file in "$json" "$precreate"; do
            if [ -e "$file" ] && [ ! -x "$binary" ] && [ -e "$file" ]; then echo "$file without $binary" >>"$scratch/seen"; fi
        done
        if [ -e "$settings" ] && [ ! -e "$precreate" ] && [ -e "$settings" ]; then echo "$settings without $precreate" >>"$scratch/seen"; fi
        polls=$((polls + 1))
    done
    echo "$polls" >"$scratch/polls"
}

# Of this system, but for those that belong to the tests, to the kernel or to package managers.
all_files() {
    local pruned=() place
    for place in /proc /src /tmp /sys /dev /mnt /var/cache/man /var/lib/dpkg /var/lib/rpm /var/log; do pruned+=(-o -path "$place"); done
    find / -xdev \( "${pruned[@]:1}" \) -prune -o -print | grep -vE '/ld.so.cache|/(aux-cache|deb-systemd)' | sort
}

begin_watch() {
    mkdir -p /etc/containers
    printf '[engine]\nhooks_dir = ["%s"]\n' "${own%/*}" >/etc/containers/containers.conf # an administrator's
    : >"$scratch/seen"
    : >"$scratch/watch"
    all_files >"$scratch/before"
    watch_order &
}

end_watch() {
    rm "$scratch/watch"
    wait
    all_files >"$scratch/after"
    equal '  no file more than before' '' "$(comm -13 "$scratch/before" "$scratch/after" | paste -sd ' ')"
    equal 'no JSON was there without its binary, nor the settings without what they name' '' "$(sort "$scratch/seen" | uniq -c | paste -sd ' ')"
    matches '  at many looks' '^[0-9]{3,}$' "$(cat "$scratch/polls")"
}

# begin_units: systemd as it runs, whose calls are in $scratch/units; what is enabled stays real
begin_units() {
    local name
    mkdir -p /run/systemd/system /usr/local/bin
    for name in systemctl deb-systemd-invoke; do
        cat >"/usr/local/bin/$name" <<SCRIPT
#!/bin/sh
case \$1 in enable | disable) exec /usr/bin/systemctl "\$@" ;; esac
echo "\$*" >>$scratch/units
SCRIPT
        chmod 755 "/usr/local/bin/$name"
    done
    : >"$scratch/units"
}

# unit_calls ACTION UNIT: how often, since the last time
unit_calls() { grep -cE "^$1 (.* )?'?$2'?( |$)" "$scratch/units" || :; }

there() { for file in "$@"; do if [ -e "$file" ]; then echo yes; else echo no; fi; done | paste -sd ' '; }
socket() { [ ! -L /etc/systemd/system/sockets.target.wants/jail-ai-hook.socket ] || echo enabled; }

# does NAME COMMAND...
does() {
    local name=$1
    shift
    if "$@" >"$scratch/log" 2>&1; then ok "$name"; else not_ok "$name" "$(tail -n 3 "$scratch/log")"; fi
}

# As podman 5 takes them beside those that others name, or with these.
all_hooks_dirs() {
    local ours="\"${json%/*}\", \"${precreate%/*}\""
    case $(podman --version 2>/dev/null || :) in
        'podman version '[5-9]*) echo "$ours, {append=true}" ;;
        *) echo "\"${own%/*}\", $ours" ;;
    esac
}

# is_complete SOCKET: everything is there, and works; the broker's socket is enabled, or not ('')
is_complete() {
    equal '  and everything is there' "yes yes yes yes $1" "$(there "$binary" "$json" "$precreate" "$settings") $(socket)"
    matches '  it is in the path' '^jail-ai-hook [0-9]' "$(jail-ai-hook --version)"
    equal "  podman still finds others' hooks" "hooks_dir = [$(all_hooks_dirs)]" "$(grep ^hooks_dir "$settings")"
    equal '  the JSON names the binary' "$binary $binary" "$(sed -n 's/.*"path": "\(.*\)",/\1/p' "$json" "$precreate" | paste -sd ' ')"
}

# stays COMMAND...: which would remove it, does not while somebody's JSON names it
stays() {
    mkdir -p "${own%/*}"
    cp "$json" "$own"
    if "$@" >"$scratch/log" 2>&1; then not_ok 'it is not removed while another JSON names it' 'it was'; else ok 'it is not removed while another JSON names it'; fi
    matches '  and says which' "remove them first:.*$own" "$(paste -sd ' ' "$scratch/log")"
    equal '  and everything is there' 'yes yes yes yes' "$(there "$binary" "$json" "$precreate" "$settings")"
    rm "$own"
}
