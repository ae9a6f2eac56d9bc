# SPDX-License-Identifier: Apache-2.0 OR MIT
# offer.zsh DIRECTORY LINE
#
# Prints what zsh offers at the end of the line, and on stderr what else is said: completion runs only in a line editor, so that it is given one, on a terminal of its own.
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
exec 2>$offers.said
print ready >$offers.ready"
trap 'rm -f $offers $offers.end $offers.ready $offers.said; zpty -d editor' EXIT
integer tries=0
until [[ -e $offers.ready ]] || (( tries++ > 200 )); do zpty -r -t editor said; sleep 0.05; done
zpty -w -n editor "$2"$'\t'
tries=0
until [[ -e $offers.end ]] || (( tries++ > 200 )); do zpty -r -t editor said; sleep 0.05; done
[[ -e $offers.end ]] || { print -u2 "no completion within 10 s"; exit 1 }
cat $offers.said >&2
grep . $offers
