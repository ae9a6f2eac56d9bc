# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# What verbs answer machines with, held against tests/schema, to be sourced after report.sh.
: "${build:?the build directory}"

# conforms NAME SCHEMA TEXT: TEXT is one JSON value, or several, a line each
conforms() {
    local said
    if said=$("$(dirname "${BASH_SOURCE[0]}")/../schema/validate" "$build/hook/jail-ai-hook" "$2" <<<"$3" 2>&1); then
        ok "$1"
    else
        not_ok "$1" "$(tail -n 1 <<<"$said" | cut -c 1-1500)"
    fi
}
