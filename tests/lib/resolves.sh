# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Names in the containers of an ordinary user, as the host's own resolvers know them. To be sourced after rootless.sh.

: "${lab:?}" "${lib:?}" "${version=}" "${internet_v4:?}" "${port:?}" "${own_port:?}"
domain=agent.lab

# names_up ADDRESS...: the host's resolvers listen there, one of them on its loopback as systemd-resolved does. Before rootless_up: podman keeps the mounts
# that it has started with.
names_up() {
    ready "$lib/name-server" $domain "$internet_v4" "$@"
    printf 'nameserver %s\n' "$@" >"$lab/resolv.conf"
    mount --bind "$lab/resolv.conf" /etc/resolv.conf
}

names_down() {
    umount /etc/resolv.conf
}

# resolves NAME RUNTIME RESOLVER ALSO REASON OPTION...: the container asks RESOLVER and is answered, in a jail too, also where that blocks the resolver's
# address for REASON, with ALSO unless it is "-"; nothing but DNS is open there then, and with dns=off not even that.
resolves() {
    local name="$version: $1" runtime=$2 resolver=$3 also=$4 reason=$5 settings setting found counted options
    shift 5
    if [ "$also" = - ]; then also=''; else also=" .also=$also"; fi
    while IFS='|' read -r settings found counted; do
        options=()
        [ "$settings$counted" != =true ] || [ -n "$also" ] || continue # the next one is the same
        for setting in $settings; do options+=(--annotation "jail-ai.block-host$setting"); done
        setting=${settings:-no jail}
        if ! start rootless "$runtime" "$@" "${options[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" hello "then" tcp "$internet_v4" "$port"; then
            not_ok "$name, $setting: starts" "$(why rootless)"
            continue
        fi
        matches "$name, $setting: it asks $resolver" "^nameserver $resolver(\\||\$)" \
            "$(engine "$runtime" exec rootless /bin/busybox sed -n '/^nameserver/p' /etc/resolv.conf | paste -sd '|')"
        equal "$name, $setting: the name is resolved to ${found:-nothing}" "$found" "$(engine "$runtime" exec rootless /bin/busybox nslookup $domain 2>&1 |
            awk '/^Name:/ { named = 1 } named && /^Address/ { print $NF }' | sort -u | paste -sd ' ')"
        if [ -n "$counted" ]; then
            equal "$name, $setting: nothing else of it is open" EPERM "$(engine "$runtime" exec rootless /probe tcp "$resolver" "$port")"
            matches "$name, $setting: the denials are counted" "(^|\\|)$reason $counted(\\||\$)" "$(denials "$(cgroup_of rootless)" | paste -sd '|')"
        fi
        remove "$runtime" rootless
    done <<TABLE
|$internet_v4|
=true|$internet_v4|
=true$also|$internet_v4|1
=true$also .dns=off||([2-9]|[1-9][0-9])
TABLE
}
