#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What an administrator does with containers that run: the host's addresses change and their jails follow, refusals are told as they happen, and a jail is
# taken away and given to what no hook has jailed.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=schema.sh
. "$(dirname "$0")/../lib/schema.sh"

hook=$build/hook/jail-ai-hook new_v4=198.51.100.99
# Nobody has it yet: what answers for it is the host, later.
ip addr add $new_v4/32 dev uplink
serve - $new_v4
ip addr del $new_v4/32 dev uplink

# does RUNTIME NAME PROTOCOL ADDRESS: what becomes of an attempt from inside
does() { engine "$1" exec "$2" /probe "$3" "$4" "$port"; }
id_of() { podman inspect --format '{{.Id}}' "$1"; }

# until_says WORD COMMAND...: for a minute, since what is awaited comes by itself
until_says() {
    local word=$1 said='' end=$((SECONDS + 60))
    shift
    until said=$("$@") && [ "$said" = "$word" ]; do [ $SECONDS -lt $end ] || break; done
    echo "$said"
}

# until_holds FILE TEXT
until_holds() {
    local end=$((SECONDS + 60))
    until grep -qF "$2" "$1"; do [ $SECONDS -lt $end ] || return 1; done
}

listening=(-- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp 127.0.0.1 "$own_port")
for runtime in crun runc; do
    if ! start held "$runtime" --network dual "${jailed[@]}" "${listening[@]}"; then
        not_ok "$runtime: starts" "$(why held)"
        continue
    fi
    held=$(id_of held)
    ip addr add $new_v4/32 dev uplink
    equal "$runtime: an address that the host gets is not known to the jail" reached "$(does "$runtime" held tcp $new_v4)"
    equal "$runtime: refresh tells it" "container ${held:0:12}: + $new_v4: denied (local) 1 jail looked at, 1 brought up to date" \
        "$("$hook" refresh "${held:0:12}" | sed 's/^ *//' | paste -sd ' ' | sed "s/': /':/; s/':/': /")"
    conforms "$runtime: refresh answers as its schema says" refresh "$("$hook" refresh --json)"
    equal "$runtime: and it is blocked" 'EPERM EPERM reached' \
        "$(does "$runtime" held tcp $new_v4) $(does "$runtime" held udp $new_v4) $(does "$runtime" held tcp "$internet_v4")"
    ip addr del $new_v4/32 dev uplink
    "$hook" refresh >"$lab/refreshed"

    "$hook" watch >"$lab/watched" 2>&1 &
    watch=$!
    "$hook" log --follow --json held >"$lab/followed" 2>&1 &
    follow=$!
    end=$((SECONDS + 60))  # until it follows: it tells nothing from before
    until grep -qsF '{' "$lab/followed" || ((SECONDS > end)); do does "$runtime" held udp "$host_v4" >"$lab/did"; done
    ip addr add $new_v4/32 dev uplink
    equal "$runtime: under watch it is blocked by itself" EPERM "$(until_says EPERM does "$runtime" held tcp $new_v4)"
    until_holds "$lab/watched" "container ${held:0:12}: brought up to date: + $new_v4: denied (local)" || not_ok "$runtime: watch tells it" "$(<"$lab/watched")"
    ip addr del $new_v4/32 dev uplink
    equal "$runtime: the host's other address is blocked" EPERM "$(does "$runtime" held tcp "$host_v4")"
    until_holds "$lab/followed" "\"what\":\"$host_v4:$port/tcp\"" || not_ok "$runtime: log --follow tells it" "$(<"$lab/followed")"
    equal "$runtime: log --follow tells who was refused what" "$held held enforce local $host_v4 $port tcp probe" \
        "$(grep -F "$host_v4:$port/tcp" "$lab/followed" | head -n 1 | jq -r '"\(.container) \(.name) \(.mode) \(.reason) \(.destination) \(.port) \(.protocol) \(.comm)"')"
    conforms "$runtime: each of its lines is what the schema says" log "$(grep -F "$host_v4:$port/tcp" "$lab/followed")"
    kill $watch $follow
    status=0
    wait $watch || status=$?
    wait $follow || status=$((status + $?))
    equal "$runtime: both end when they are asked to" 0 $status
    conforms "$runtime: so is what log remembers" log "$("$hook" log --json)"
    matches "$runtime: log remembers it" "${held:0:12} \(held\) denied $host_v4:$port/tcp \(local\) to 'probe'" "$("$hook" log held | paste -sd ' ')"
    matches "$runtime: refresh finds a container by its name" '^1 jail looked at' "$("$hook" refresh --dry-run held)"
    matches "$runtime: and says so where there is none" "container 'hel2' has no jail" "$("$hook" refresh --dry-run hel2 2>&1 || :)"

    # Anybody may call a container of theirs by what another's ID begins with.
    namesake=${held:0:12}
    if start "$namesake" "$runtime" --network dual "${listening[@]}"; then
        matches "$runtime: of two that a word may mean neither is detached" "^2 containers are called '$namesake', or have an ID that begins so: write more" \
            "$("$hook" detach --container "$namesake" 2>&1 | sed 's/^jail-ai-hook: //')"
        equal "$runtime: it is still jailed" EPERM "$(does "$runtime" held tcp "$host_v4")"
        equal "$runtime: what only looks takes both" "$held" "$("$hook" status --json "$namesake" | jq -r '.[].container')"
        remove "$runtime" "$namesake"
    else
        not_ok "$runtime: starts under the beginning of another's ID" "$(why "$namesake")"
    fi
    matches "$runtime: detach removes the jail" 'no longer denied' "$("$hook" detach --container "$held" 2>&1)"
    equal "$runtime: and the host is reached" reached "$(does "$runtime" held tcp "$host_v4")"
    status=0
    "$hook" verify >"$lab/verified" || status=$?
    equal "$runtime: verify misses it" 1 $status
    matches "$runtime: attach restores it, as the container's annotations ask" 'jailed: denies [0-9]+ prefixes' "$("$hook" attach --container held 2>&1)"
    equal "$runtime: and the host is blocked" 'EPERM reached' "$(does "$runtime" held tcp "$host_v4") $(does "$runtime" held tcp "$internet_v4")"
    equal "$runtime: verify is content" 'containers that must be jailed: 1; jailed: 1' "$("$hook" verify)"

    mkdir -p "$lab/no-hooks"
    if hooks=$lab/no-hooks start late "$runtime" --network dual --cap-drop NET_RAW --annotation "jail-ai.block-host.allow=host:$port/udp" "${listening[@]}"; then
        equal "$runtime: no hook has seen it" reached "$(does "$runtime" late tcp "$host_v4")"
        "$hook" attach --container late >"$lab/attached" 2>&1 || not_ok "$runtime: attach" "$(<"$lab/attached")"
        equal "$runtime: attached, with the exception that it asks for" 'EPERM reached reached' \
            "$(does "$runtime" late tcp "$host_v4") $(does "$runtime" late udp "$host_v4") $(does "$runtime" late tcp "$internet_v4")"
        remove "$runtime" late
    else
        not_ok "$runtime: starts without hooks" "$(why late)"
    fi
    remove "$runtime" held
done
finish
