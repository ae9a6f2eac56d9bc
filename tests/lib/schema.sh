# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# What verbs answer machines with, held against tests/schema, to be sourced after report.sh.

# conforms NAME SCHEMA TEXT: TEXT is one JSON value, or several, a line each
conforms() {
    local said
    if said=$(/usr/bin/python3 -W ignore -c 'import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
values = [json.loads(line) for line in sys.argv[2].splitlines()]
if not values: sys.exit("nothing to look at")
found = [error for value in values for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]
if found: sys.exit("; ".join(f"{error.json_path}: {error.message}" for error in found))' "$(dirname "${BASH_SOURCE[0]}")/../schema/$2.json" "$3" 2>&1); then
        ok "$1"
    else
        not_ok "$1" "$(tail -n 1 <<<"$said" | cut -c 1-1500)"
    fi
}
