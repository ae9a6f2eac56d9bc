#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Agents as people run them, in a container of Debian 13's files, $tools_tree: Claude Code and Gemini CLI, each as npm has it, with a model that stands in
# "internet" and lets the agent's own tool ask the host for something (see model-api). Jailed, the agent works; what comes back to the model from the host is
# the denial, and why; what comes from elsewhere is an answer. Without the jail the host answers. $agents_files, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=notice.sh
. "$lib/notice.sh"

if [ ! -d "${tools_tree-}" ]; then
    skip 'agents in a jailed container' "${tools_tree:-there is no tree of Debian 13}"
    finish
fi
api_port=4300 service_port=4301
output=$lab/agents/output
# What the model has the agent's shell do. curl alone hides the errno.
task="curl -sS -v http://$host_v4:$service_port; curl -sS http://$internet_v4:$api_port; printenv JAIL_AI_NOTICE; head -n 2 /run/jail-ai-hook.md"

# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    remove "$runtime" agent 2>"$lab/removed" || : # it has gone, where all went well
    umount --recursive "$lab/agents"
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}
mkdir -p "$lab/agents"
mount -t tmpfs agents "$lab/agents"
trap end EXIT
mkdir "$lab/agents"/{changes,work,files}
mount -t overlay -o "lowerdir=$tools_tree,upperdir=$lab/agents/changes,workdir=$lab/agents/work" overlay "$lab/agents/files"
mkdir -p "$lab/agents/files/home/.gemini" "$lab/agents/files/agent"
jq -n '{security: {auth: {selectedType: "gemini-api-key"}}, privacy: {usageStatisticsEnabled: false}, general: {enableAutoUpdate: false}}' \
    >"$lab/agents/files/home/.gemini/settings.json"
rootfs=$lab/agents/files
runtime=crun
ready "$lib/model-api" $host_v4 $service_port
ready ip netns exec internet "$lib/model-api" $internet_v4 $api_port "$task" "$output"

# agent NAME FILES OPTION...: the agent with these files, in a container that stays; $lines is what it printed, and its status in the last line
agent() {
    local name=$1 files=$2
    shift 2
    rm -f "$output"
    patience=300 start agent "$runtime" "$@" --dns $internet_v4 --volume "$files:/agent:ro" --workdir /home --env HOME=/home \
        --env ANTHROPIC_API_KEY=none --env ANTHROPIC_BASE_URL=http://$internet_v4:$api_port --env CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 \
        --env GEMINI_API_KEY=none --env GOOGLE_GEMINI_BASE_URL=http://$internet_v4:$api_port \
        -- /bin/sh -c "node ${call[$name]} </dev/null; echo \$?; echo probed; exec sleep 1000"
}

declare -A call=([claude]='/agent/cli.js --print --allowedTools Bash -- go'
    [gemini]='/agent/bundle/gemini.js --model gemini-2.5-flash --skip-trust --yolo --prompt go')

# concluded NAME: $said is what the tool put out
concluded() {
    if [ "$lines" = $'The conversation is over.\n0\n' ]; then
        ok "$1: the conversation comes to its end"
    else
        not_ok "$1: the conversation comes to its end" "$lines$(tail -n 5 "$lab/agent.err")"
    fi
    said=$(cat "$output" 2>&1) # or why there is none
}

check() {
    local name=$1 files=$2 said
    if ! agent "$name" "$files" "${jailed[@]}"; then
        not_ok "$name, jailed: starts" "$(why agent)"
        return
    fi
    concluded "$name, jailed"
    matches "$name, jailed: its tool sees the errno" "connect to $host_v4 port $service_port .*Operation not permitted" "$said"
    matches "$name, jailed: and reaches what is not the host" "this is $internet_v4" "$said"
    equal "$name, jailed: the host has not answered" '' "$(grep -o "this is $host_v4" <<<"$said")"
    matches "$name, jailed: the variable says why" 'This container cannot connect .* More: /run/jail-ai-hook.md' "$said"
    matches "$name, jailed: so does the file" 'This container is kept away from the machine that it runs on' "$said"
    equal "$name, jailed: what was tried is counted, and nothing else was" 'local 1' "$(denials "$(cgroup_of agent)" | grep -v ^multicast)"
    remove "$runtime" agent

    if ! agent "$name" "$files"; then
        not_ok "$name, not jailed: starts" "$(why agent)"
        return
    fi
    concluded "$name, not jailed"
    matches "$name, not jailed: the host answers" "this is $host_v4" "$said"
    equal "$name, not jailed: nothing speaks of a jail" '' "$(grep -oiE 'not permitted|This container' <<<"$said")"
    remove "$runtime" agent
}

while read -r name files; do
    if [ -d "$files" ]; then check "$name" "$files"; else skip "$name in a jailed container" "$files"; fi
done <<<"${agents_files-}"
finish
