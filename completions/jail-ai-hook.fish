# SPDX-License-Identifier: Apache-2.0 OR MIT
# Completion for fish. What there is to offer the program itself says.

# Not everybody has it in the path.
function __jail_ai_hook_list
    env PATH="$PATH:/usr/local/sbin:/usr/sbin" jail-ai-hook --list $argv 2>/dev/null
end

function __jail_ai_hook_containers
    # Of root alone; others are offered nothing. A user who asks the broker makes the ID up: only what is harmless in a shell is offered.
    jail-ai-hook status --json 2>/dev/null | string match --all --regex '"(?:container|name)":"[A-Za-z0-9_][A-Za-z0-9_.+-]*"' | string replace --regex '"[a-z]+":"(.*)"' '$1'
end

# __jail_ai_hook_value TYPED PLACEHOLDER [WORD]...: what may stand for it
function __jail_ai_hook_value
    switch $argv[2]
        case ID
            __jail_ai_hook_containers
        case PID
            __fish_complete_pids
        case PATH
            __fish_complete_path $argv[1]
        case DIRECTORY
            __fish_complete_directories $argv[1]
        case 'KEY=VALUE'
            printf '%s=\n' $argv[3..]
        case LIST
            # The last word, behind those that stand there.
            set -l before (string match --regex '^.*,' -- $argv[1])
            printf "$before%s\n" $argv[3..]
        case WORD
            printf '%s\n' $argv[3..]
        case '*'
            string match --regex '^[a-z].*' -- $argv[2..]
    end
end

function __jail_ai_hook
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l verb (string match --invert -- '-*' $words[2..])[1]
    if test -z "$verb"
        __jail_ai_hook_list verbs
        string match --quiet -- '-*' "$typed"; and printf '%s\n' --version --help
        return
    end
    for row in (__jail_ai_hook_list options $verb)
        set -l columns (string split \t -- $row)
        set -l values (string split ' ' -- $columns[2])
        switch $columns[1]
            case CONTAINER
                __jail_ai_hook_containers
            case '--*'
                if test "$values" != - -a "$columns[1]" = "$words[-1]"
                    __jail_ai_hook_value "$typed" $values
                    return
                else if test "$values" != - && string match --quiet -- "$columns[1]=*" "$typed"
                    printf "$columns[1]=%s\n" (__jail_ai_hook_value (string replace -- "$columns[1]=" '' "$typed") $values)
                    return
                end
                test "$values" = - || set columns[1] "$columns[1]="
                string match --quiet -- '-*' "$typed"; and printf '%s\t%s\n' $columns[1] $columns[3]
        end
    end
end

complete -c jail-ai-hook -f -a '(__jail_ai_hook)'
