# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# The result protocol of every suite, to be sourced: one line a case on stdout, "ok - NAME", "not ok - NAME: WHY" or
# "skip - NAME: WHY", whose name also goes to the file $report_skipped_names, if that is set. A failed case does not end the suite; finish does, with its verdict. Ending without it is a failure too.

report_failed=0 report_skipped=0 report_cases=0 report_finished=

ok() {
    report_cases=$((report_cases + 1))
    printf 'ok - %s\n' "$1"
}

not_ok() {
    report_cases=$((report_cases + 1)) report_failed=$((report_failed + 1))
    printf 'not ok - %s: %s\n' "$1" "${2//$'\n'/ | }"
}

skip() {
    report_cases=$((report_cases + 1)) report_skipped=$((report_skipped + 1))
    printf 'skip - %s: %s\n' "$1" "$2"
    [ -z "${report_skipped_names-}" ] || printf '%s\n' "$1" >>"$report_skipped_names"
}

# equal NAME EXPECTED ACTUAL
equal() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected '$2', got '$3'"; fi
}

# matches NAME REGEX ACTUAL
matches() {
    if [[ $3 =~ $2 ]]; then ok "$1"; else not_ok "$1" "expected to match '$2', got '$3'"; fi
}

finish() {
    report_finished=yes
    [ "$report_cases" -gt 0 ] || not_ok "${0##*/}" 'ran no case'
    exit $((report_failed > 0))
}

report_exit() {
    local status=$?
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}
trap report_exit EXIT
