# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# The view's syslog, to be sourced after containers.sh: this shell is the daemon, so that a case can ask for what was logged on its
# account.

: "${build:?the build directory}"
rm -f /dev/log # the view's, of a theme before
exec {syslog}< <("$build/tests/probe" listen log /dev/log)
read -r -t 60 -u "$syslog" _

# logged NAME: what syslog has got since the last time. Datagrams keep their order, so a mark of our own is the end of it.
logged() {
    local line
    logger --socket /dev/log --tag lab "mark $1"
    while IFS= read -r -t 60 -u "$syslog" line; do
        [[ $line != *"mark $1"* ]] || return 0
        echo "$line"
    done
}
