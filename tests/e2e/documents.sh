#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The commands in README.md and docs/ do what is written there, as root's podman runs them; and what README says of common set-ups.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=documents.sh
. "$lib/documents.sh"

# The host of a reader: earlier themes leave bridges that take packets for its loopback, which verify would say.
for setting in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 0 >"$setting"; done

runtime=crun
# shellcheck disable=SC2317 # called by the blocks
podman() {
    local own=(--hooks-dir "${hooks:-$build/hooks.d}")
    [ "$1" != --hooks-dir ] || own=()
    command podman --log-level error --runtime "$lab/bin/$runtime" "${own[@]}" "$@"
}
# shellcheck disable=SC2317
jail-ai-hook() { "$build/hook/jail-ai-hook" "$@"; }

listening=()
for served in 5432 8080 8081 11434; do listening+=(tcp "$bridge_v4" "$served" hello -- tcp "$host_v4" "$served" hello --); done
ready "$build/tests/probe" listen "${listening[@]}" udp $bridge_v4 53
# Another container's ports.
for served in 8000 8001; do
    podman exec --detach peer /bin/sh -c "echo \$\$ >/tmp/$served.pid; exec /probe listen tcp 0.0.0.0 $served hello" >"$lab/served"
    until [[ $("$build/tests/probe" tcp $peer_bridge_v4 "$served" 200) == *reached ]]; do :; done
done
make_image "$lab/rootfs" command podman --log-level error
ln -s "$build" "$lab/work/build"
internet="tcp $internet_v4 $port"

# Run an agent.
document run 'EPERM EPERM reached reached' tcp $bridge_v4 8080 -- udp $host_v4 "$port" -- "$internet" -- tcp $peer_bridge_v4 8000
document build-tree 'EPERM reached' tcp $bridge_v4 8080 -- "$internet"
document ollama 'reached EPERM reached' tcp $bridge_v4 11434 -- tcp $bridge_v4 8080 -- "$internet"
document postgresql 'reached EPERM EPERM reached' tcp $bridge_v4 5432 -- tcp $host_v4 5432 -- tcp $bridge_v4 8080 -- "$internet"
document mcp 'reached reached EPERM reached' tcp $bridge_v4 8080 -- tcp $host_v4 8081 -- tcp $bridge_v4 11434 -- "$internet"
document lan 'reached EPERM EPERM reached' tcp $peer_bridge_v4 8000 -- tcp $peer_bridge_v4 8001 -- tcp $bridge_v4 8080 -- "$internet"
document no-notice 'EPERM reached' tcp $bridge_v4 8080 -- "$internet"
document dns 'EPERM reached' udp $bridge_v4 53 -- "$internet"


# A port that some of the blocks allow, one that none does, and the internet.
probes=(tcp "$bridge_v4" 11434 -- tcp "$bridge_v4" 8080 -- tcp "$internet_v4" "$port")

document devcontainer
mapfile -t options < <(jq -r '.runArgs[]' <<<"$text")
equal 'documents: devcontainer' 'EPERM EPERM reached' "$(in_words podman run --rm "${options[@]}" "$image" /probe "${probes[@]}")"

# What the agent sees, and what the operator does.
document transcript
equal 'documents: transcript' "$(masked <<<"$text")" "$(transcript | masked)"
document explain
equal 'documents: explain' 'allowed' "$(type_in "$(head -n 1 <<<"$text")" | grep -o ': allowed' | cut -c 3-)"
matches 'documents: explain, the whole policy' '10.0.0.0/8' "$(type_in "$(sed -n 2p <<<"$text")" | paste -sd ' ')"
equal 'documents: explain, of a container' denied "$(type_in "$(sed -n 3p <<<"$text")" | jq -r .jail.verdict)"
document denied
matches 'documents: denied, status' "\(agent\)  enforce.*$bridge_v4:80/tcp \(local\), 1 time, " "$(type_in "$(head -n 1 <<<"$text")" | paste -sd ' ')"
equal 'documents: denied, status --json' "agent $bridge_v4:80/tcp" "$(type_in "$(sed -n 2p <<<"$text")" | jq -r '.[] | "\(.name) \(.recent_denials[].what)"')"
matches 'documents: denied, status --prometheus' 'jail_ai_denials_total.*reason="local"\} 1' "$(type_in "$(sed -n 3p <<<"$text")" | paste -sd ' ')"
matches 'documents: denied, log' "denied $bridge_v4:80/tcp" "$(type_in "$(sed -n 4p <<<"$text")")"
matches 'documents: bpftool shows the programs, and their memory' 'name.jail_connect4.*memlock' "$(bpftool prog list | grep -A 2 jail_connect4 | paste -sd ' ')"
document verify
equal 'documents: verify' '0 containers that must be jailed: 1; jailed: 1' "$(words=$(type_in "$text") && echo "$? $words")"
new_v4=198.51.100.99
ip address add $new_v4/32 dev uplink
document refresh
matches 'documents: refresh' "\+ $new_v4" "$(type_in "$(head -n 1 <<<"$text")" | paste -sd ' ')"
# It finds other suites' jails on this machine, too.
matches 'documents: refresh --dry-run, once it is done' ' looked at, 0 not up to date' "$(type_in "$(sed -n 2p <<<"$text")" 2>&1)"
ip address del $new_v4/32 dev uplink
drop_containers

document attach
mkdir -p "$lab/no-hooks"
hooks=$lab/no-hooks podman run --detach --name agent --cap-drop=NET_RAW --annotation jail-ai.block-host=true "$image" sleep 1000 >"$lab/agent.id"
equal 'documents: attach, before' 'reached reached reached' "$(in_words podman exec agent /probe "${probes[@]}")"
type_in "$(head -n 1 <<<"$text")" >"$lab/attached" 2>&1 || not_ok 'documents: attach' "$(<"$lab/attached")"
equal 'documents: attach' 'EPERM EPERM reached' "$(in_words podman exec agent /probe "${probes[@]}")"
type_in "$(sed -n 2p <<<"$text")" >"$lab/attached" 2>&1 || not_ok 'documents: detach' "$(<"$lab/attached")"
equal 'documents: detach' 'reached reached reached' "$(in_words podman exec agent /probe "${probes[@]}")"
drop_containers

document audit
line=$(head -n 1 <<<"$text") trying="$image /bin/sh -c '/probe ${probes[*]}; exec sleep 1000'"
type_in "${line//IMAGE/$trying}" >"$lab/agent.id"
end=$((SECONDS + 60))
until [ "$(podman logs agent | wc -l)" = 3 ] || [ $SECONDS -gt $end ]; do :; done
equal 'documents: audit denies nothing' 'reached reached reached' "$(in_words podman logs agent)"
matches 'documents: audit, what log and explain say' "$bridge_v4:11434/tcp.*192.168.1.5:445/tcp: " "$(type_in "$(grep '^jail-ai-hook' <<<"$text")" | paste -sd ' ')"
drop_containers

cp "$build"/hooks.d/*.json /run/view/hooks.d
document doctor
matches 'documents: doctor' '^ok.*the block works here' "$(type_in "$text" | paste -sd ' ')"
rm /run/view/hooks.d/*.json

# The settings file, for what has no annotations, and what has such as loosen. /etc is the view's own.
settings=/etc/jail-ai-hook.conf
document default
echo "$text" >$settings
equal 'documents: default' 'EPERM EPERM reached' "$(in_words podman run --rm "$image" /probe "${probes[@]}")"
equal 'documents: default, which an annotation overrides' 'reached reached reached' \
    "$(in_words podman run --rm --annotation jail-ai.block-host=false "$image" /probe "${probes[@]}")"
document floor
echo "$text" >$settings
equal 'documents: floor' 'reached EPERM reached' "$(in_words podman run --rm "$image" /probe "${probes[@]}")"
equal 'documents: floor, of which nothing is loosened' '' "$(in_words podman run --rm --annotation jail-ai.block-host=false "$image" /probe "${probes[@]}")"
matches 'documents: floor, and podman says so' 'exit (code:|status) 65' "$(<"$lab/document.err")"
document floor-check
matches 'documents: floor-check' "ok +settings +$settings: block-host=true for every container, enforced" "$(type_in "$text" | paste -sd ' ')"
document build
printf '%s\n' "FROM $image" "RUN /probe ${probes[*]}" >"$lab/work/Containerfile"
read_by_builds=/etc/containers/oci/hooks.d
mkdir -p $read_by_builds
cp "$build/hooks.d/jail-ai-hook.json" $read_by_builds
equal 'documents: build' 'reached EPERM reached' "$(in_words type_in "${text//podman build/command podman --runtime "$lab/bin/$runtime" build}")"
matches 'documents: build, and its warning' 'Implicit hook directories are deprecated' "$(<"$lab/document.err")"
rm -r $settings $read_by_builds

# What README says of set-ups: those that start, jailed, and those that are rejected, by what the message names.
mkdir -p /run/user/0/podman
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
ready "$build/tests/probe" listen log "$lab/agent.sock"
set_ups=(
    "the work directory|jailed|-v $lab/work:/work -w /work"
    'SYS_PTRACE|jailed|--cap-add=SYS_PTRACE --security-opt seccomp=unconfined'
    'a device|jailed|--device /dev/null:/dev/dri'
    "a service's socket|jailed|-v $lab/agent.sock:/run/agent.sock"
    "a firewall of the container's own|CAP_NET_ADMIN|--cap-add=NET_ADMIN --cap-add=NET_RAW"
    'the runtime directory|engine-socket|-v /run/user/0:/run/user/0'
    "podman's socket|engine-socket|-v /run/user/0/podman:/run/podman"
    'privileged|CAP_NET_ADMIN|--privileged'
    'podman in podman|CAP_SYS_ADMIN|--cap-add=SYS_ADMIN'
)
for set_up in "${set_ups[@]}"; do
    IFS='|' read -r name outcome options <<<"$set_up"
    read -ra options <<<"$options"
    words=$(in_words podman run --rm "${jailed[@]}" "${options[@]}" "$image" /probe "${probes[@]}")
    if [ "$outcome" = jailed ]; then
        equal "README: $name" 'EPERM EPERM reached' "$words"
    else
        matches "README: $name: rejected" "^\|.*$outcome" "$words|$(logged "$name")"
    fi
done
rm -r /run/user/0

for served in 8000 8001; do podman exec peer /bin/busybox sh -c "kill \$(cat /tmp/$served.pid) && rm /tmp/$served.pid"; done
command podman --log-level error rmi --all --force >"$lab/removed"
finish
