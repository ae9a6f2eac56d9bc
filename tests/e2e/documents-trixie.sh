#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The commands in the documents that need podman 5, as an ordinary user runs them with Debian 13's: rootless podman, pasta, quadlets.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=documents.sh
. "$lib/documents.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"
# shellcheck source=portable.sh
. "$lib/portable.sh"
hooks=$portable/hooks.d
# shellcheck disable=SC2034 # for rootless.sh
in_tree=("$lib/in-tree" "$trixie_tree")
runtime=crun
podman() { engine "$runtime" "$@"; }

ready "$build/tests/probe" listen tcp 127.0.0.1 5432 hello -- tcp 127.0.0.1 5433 hello -- tcp $host_second_v4 11434 hello
rootless_up
make_image "$lab/rootfs" as "$user" env TMPDIR=/tmp podman --log-level error

# pasta's port is what leads to the host's loopback: without it the container's own has no listener.
document loopback 'reached ECONNREFUSED EPERM reached' tcp 127.0.0.1 5432 -- tcp 127.0.0.1 5433 -- tcp $host_second_v4 11434 -- tcp $internet_v4 "$port"
document rootless 'EPERM EPERM reached' tcp $host_second_v4 11434 -- tcp $alias_pasta "$port" -- tcp $internet_v4 "$port"

# podman's generator makes the command of a quadlet.
document ollama-quadlet
mkdir -p "$lab/quadlets"
echo "${text//IMAGE/$image}" >"$lab/quadlets/agent.container"
echo 'Exec=/probe tcp 192.0.2.7 11434 -- tcp 192.0.2.7 4000 -- tcp 203.0.113.5 4000' >>"$lab/quadlets/agent.container"
equal 'documents: the quadlet tries what the lab has' '192.0.2.7 4000 203.0.113.5 4000' "$host_second_v4 $port $internet_v4 $port"
start_line=$("${in_tree[@]}" env QUADLET_UNIT_DIRS="$lab/quadlets" /usr/libexec/podman/quadlet -dryrun 2>"$lab/document.err" | sed -n 's/^ExecStart=//p')
# What a service of systemd has besides: its cgroup, and a file for the container's ID.
read -ra words < <(sed -E 's/ (--cgroups=split|-d|--sdnotify=[a-z]+|--replace|--cidfile=[^ ]+|--name [^ ]+)//g' <<<"${start_line#*podman }" | tr -d '"')
equal 'documents: ollama-quadlet' 'reached EPERM reached' "$(in_words podman "${words[@]}")"
drop_containers

# The unit's flags hold for every user.
document broker-unit
broker_down
read -ra flags < <(sed -n 's/^ExecStart=.* broker //p' <<<"$text")
broker_up "${flags[@]}"
equal 'documents: broker-unit' 'EPERM reached' "$(in_words podman run --rm --annotation jail-ai.block-host=true "$image" \
    /probe tcp $bridge_v4 "$port" -- tcp $internet_v4 "$port")"
equal 'documents: broker-unit, which nobody loosens' '' "$(in_words podman run --rm --annotation jail-ai.block-host=audit "$image" /probe tcp $bridge_v4 "$port")"

# What README says of set-ups.
as "$user" mkdir -p "$kept/podman" "$kept/work"
for set_up in 'NET_ADMIN|--cap-add=NET_ADMIN --cap-add=NET_RAW' "the runtime directory|-v $kept:$kept" 'privileged|--privileged'; do
    read -ra options <<<"${set_up#*|}"
    equal "README, rootless: ${set_up%%|*} is rejected" '' "$(in_words podman run --rm "${jailed[@]}" "${options[@]}" "$image" /probe tcp $internet_v4 "$port")"
    matches "README, rootless: ${set_up%%|*}, by the hook" 'exit (code:|status) 78' "$(<"$lab/document.err")"
done
equal 'README, rootless: the work directory and keep-id' 'EPERM reached' "$(in_words podman run --rm "${jailed[@]}" --userns=keep-id -v "$kept/work:/work" \
    -w /work "$image" /probe tcp $host_second_v4 11434 -- tcp $internet_v4 "$port")"
finish
