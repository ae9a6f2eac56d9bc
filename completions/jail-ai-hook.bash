# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Completion for bash, by bash-completion. What there is to offer the program itself says.

# Not everybody has it in the path.
_jail_ai_hook_list() { PATH=$PATH:/usr/local/sbin:/usr/sbin jail-ai-hook --list "$@" 2>/dev/null; }

_jail_ai_hook_containers() {
    # Of root alone; others are offered nothing. A user who asks the broker makes the ID up, and compgen and the command line would run what stands
    # in it: only what is harmless in a shell is offered.
    jail-ai-hook status --json 2>/dev/null | LC_ALL=C grep -oE '"(container|name)":"[A-Za-z0-9_][A-Za-z0-9_.+-]*"' | cut -d '"' -f 4
}

# _jail_ai_hook_value PLACEHOLDER [WORD]...: what may stand for it
_jail_ai_hook_value() {
    local placeholder=$1 before=
    shift
    case $placeholder in
        ID) mapfile -t COMPREPLY < <(compgen -W "$(_jail_ai_hook_containers)" -- "$cur") ;;
        PID) _pids ;;
        PATH) _filedir ;;
        DIRECTORY) _filedir -d ;;
        KEY=VALUE) mapfile -t COMPREPLY < <(compgen -S = -W "$*" -- "$cur") && compopt -o nospace ;;
        LIST)
            [[ $cur != *,* ]] || before=${cur%,*},
            mapfile -t COMPREPLY < <(compgen -P "$before" -W "$*" -- "${cur##*,}")
            ;;
        WORD) mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur") ;;
        [a-z]*) mapfile -t COMPREPLY < <(compgen -W "$placeholder $*" -- "$cur") ;;
    esac
}

_jail_ai_hook() {
    local cur prev words cword split=false
    _init_completion -s || return

    local verb='' word name values offered=
    for word in "${words[@]:1:cword-1}"; do
        case $word in -*) ;; *) verb=$word && break ;; esac
    done
    [ -n "$verb" ] || offered="$(_jail_ai_hook_list verbs | cut -f 1) --version --help"
    while IFS=$'\t' read -r name values _; do
        case $name in
            "$prev") [ "$values" = - ] || { read -ra values <<<"$values" && _jail_ai_hook_value "${values[@]}" && return; } ;;
            CONTAINER) [[ $cur == -* ]] || offered=$(_jail_ai_hook_containers) ;;
            --*)
                [ "$values" = - ] || name+==
                offered+=" $name"
                ;;
        esac
    done < <([ -z "$verb" ] || _jail_ai_hook_list options "$verb")
    $split && return
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$cur")
    [[ ${COMPREPLY-} != *= ]] || compopt -o nospace
}

complete -F _jail_ai_hook jail-ai-hook
