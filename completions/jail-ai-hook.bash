# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Completion for bash, by bash-completion. The words are the program's own (--help of each verb says them).

_jail_ai_hook_containers() {
    # Of root alone; others are offered nothing. Whoever asks the broker makes the ID up, and compgen and the command line would run what stands
    # in it: only what is harmless in a shell is offered.
    jail-ai-hook status --json 2>/dev/null | LC_ALL=C grep -oE '"(container|name)":"[A-Za-z0-9_][A-Za-z0-9_.+-]*"' | cut -d '"' -f 4
}

# _jail_ai_hook_list WORDS: the last one of a list
_jail_ai_hook_list() {
    local before=
    [[ $cur != *,* ]] || before=${cur%,*},
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${cur##*,}")
}

_jail_ai_hook() {
    local cur prev words cword split=false
    _init_completion -s || return

    local verbs='createRuntime precreate broker explain status log refresh watch verify attach detach doctor --version --help'
    local settings='--block-host= --allow= --also= --dns= --on-failure= --accept= --enforce'
    local verb='' word
    for word in "${words[@]:1:cword-1}"; do
        case $word in -*) ;; *) verb=$word && break ;; esac
    done

    case $prev in
        --block-host) mapfile -t COMPREPLY < <(compgen -W 'true audit false' -- "$cur") && return ;;
        --also) _jail_ai_hook_list 'private link-local gateway' && return ;;
        --dns) mapfile -t COMPREPLY < <(compgen -W 'auto off' -- "$cur") && return ;;
        --on-failure) mapfile -t COMPREPLY < <(compgen -W 'refuse run' -- "$cur") && return ;;
        --accept)
            _jail_ai_hook_list 'cap_net_admin cap_bpf cap_sys_admin cap_dac_read_search cap_sys_module host-cgroups host-pid
                engine-socket inherited-sockets cap_net_raw vsock ia32 abstract-unix host-loopback'
            return
            ;;
        --container) mapfile -t COMPREPLY < <(compgen -W "$(_jail_ai_hook_containers)" -- "$cur") && return ;;
        --pid) _pids && return ;;
        --cgroup) _filedir -d && return ;;
        --annotation) mapfile -t COMPREPLY < <(compgen -W 'jail-ai.block-host= jail-ai.block-host.allow= jail-ai.block-host.also= jail-ai.block-host.dns=
            jail-ai.block-host.on-failure= jail-ai.block-host.accept=' -- "$cur") && compopt -o nospace && return ;;
        --broker) _filedir && return ;;
        --allow | --max-jails) return ;;
    esac
    $split && return

    local offered
    case $verb in
        '') offered=$verbs ;;
        createRuntime) offered="$settings --broker=" ;;
        precreate) offered=$settings ;;
        broker) offered="$settings --max-jails=" ;;
        explain) offered="--annotation= --pid= --container= --json $settings" ;;
        status) offered='--json --prometheus' ;;
        log) offered='--follow --json' ;;
        refresh) offered='--dry-run --json' ;;
        watch) offered='--log' ;;
        verify | doctor) offered='--json' ;;
        attach) offered="--pid= --cgroup= --container= $settings" ;;
        detach) offered='--pid= --cgroup= --container=' ;;
        *) return ;;
    esac
    [ -z "$verb" ] || offered+=' --help'
    case $verb in status | log | refresh | verify) [[ $cur == -* ]] || offered=$(_jail_ai_hook_containers) ;; esac
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$cur")
    [[ ${COMPREPLY-} != *= ]] || compopt -o nospace
}

complete -F _jail_ai_hook jail-ai-hook
