# SPDX-License-Identifier: Apache-2.0 OR MIT
# offer.zsh DIRECTORY LINE
#
# Prints what zsh offers at the end of the line: completion runs only in a line editor, so that it is given one, on a terminal of its own.
zmodload zsh/zpty
offers=$(mktemp)
trap 'rm -f $offers' EXIT
zpty -b editor zsh -f -i
zpty -w editor "stty -echo; PROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; setopt no_beep
compadd() {
    if (( \${@[(I)-[OAD]*]} )); then builtin compadd \"\$@\"; return; fi
    local -a offered
    builtin compadd -O offered \"\$@\"
    print -rl -- \$offered >>$offers
    builtin compadd \"\$@\"
}
tell_end() { print end >>$offers.end; compstate[insert]=''; compstate[list]='' }
comppostfuncs=(tell_end)
bindkey '^I' complete-word
print ready >$offers.ready"
trap 'rm -f $offers $offers.end $offers.ready; zpty -d editor' EXIT
integer tries=0
until [[ -e $offers.ready ]] || (( tries++ > 200 )); do zpty -r -t editor said; sleep 0.05; done
zpty -w -n editor "$2"$'\t'
tries=0
until [[ -e $offers.end ]] || (( tries++ > 200 )); do zpty -r -t editor said; sleep 0.05; done
grep . $offers
