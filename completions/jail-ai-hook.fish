# SPDX-License-Identifier: Apache-2.0 OR MIT
# Completion for fish. The words are the program's own (--help of each verb says them).

function __jail_ai_hook_containers
    # Of root alone; others are offered nothing. Whoever asks the broker makes the ID up: only what is harmless in a shell is offered.
    jail-ai-hook status --json 2>/dev/null | string match --all --regex '"(?:container|name)":"[A-Za-z0-9_][A-Za-z0-9_.+-]*"' | string replace --regex '"[a-z]+":"(.*)"' '$1'
end

# The last word of a list, behind those that stand there.
function __jail_ai_hook_list
    set -l typed (string replace --regex '^--[a-z-]+=' '' -- (commandline --current-token --cut-at-cursor))
    set -l before (string match --regex '^.*,' -- $typed)
    for word in $argv
        echo "$before$word"
    end
end

set -l verbs createRuntime precreate broker explain status log refresh watch verify attach detach doctor
complete -c jail-ai-hook -f
complete -c jail-ai-hook -n "not __fish_seen_subcommand_from $verbs" -a "$verbs"
complete -c jail-ai-hook -n "not __fish_seen_subcommand_from $verbs" -l version -d 'print the version'
complete -c jail-ai-hook -l help -d 'what it takes'

set -l settings '__fish_seen_subcommand_from createRuntime precreate broker explain attach'
complete -c jail-ai-hook -n $settings -l block-host -x -a 'true audit false' -d 'whether to block'
complete -c jail-ai-hook -n $settings -l allow -x -d 'ports that pass'
complete -c jail-ai-hook -n $settings -l also -x -a '(__jail_ai_hook_list private link-local gateway)' -d 'more to block'
complete -c jail-ai-hook -n $settings -l dns -x -a 'auto off' -d 'whether resolvers answer'
complete -c jail-ai-hook -n $settings -l on-failure -x -a 'refuse run' -d 'what becomes of a container that cannot be jailed'
complete -c jail-ai-hook -n $settings -l accept -x -d 'a risk that is taken' -a '(__jail_ai_hook_list cap_net_admin cap_bpf cap_sys_admin cap_dac_read_search cap_sys_module host-cgroups host-pid engine-socket inherited-sockets cap_net_raw vsock ia32 abstract-unix host-loopback)'
complete -c jail-ai-hook -n $settings -l enforce -d 'annotations may not loosen this'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from createRuntime' -l broker -r -F -d 'where the broker listens'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from broker' -l max-jails -x -d 'jails of a user'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from explain' -l annotation -x -d 'as the container would have it'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from explain attach detach' -l pid -x -a '(__fish_complete_pids)' -d 'a process'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from explain attach detach' -l container -x -a '(__jail_ai_hook_containers)' -d 'a container'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from attach detach' -l cgroup -x -a '(__fish_complete_directories)' -d 'a cgroup'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from explain status log refresh verify doctor' -l json -d 'for machines'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from status' -l prometheus -d 'for node_exporter'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from log' -l follow -d 'as it happens'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from refresh' -l dry-run -d 'change nothing'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from watch' -l log -d 'refusals to syslog, too'
complete -c jail-ai-hook -n '__fish_seen_subcommand_from status log refresh verify' -a '(__jail_ai_hook_containers)'
