#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# How common programs show a denial, as docs/cookbook.md has it in a table: each command of it in a container of Debian 13's files, $tools_tree, see run.
# Without the jail none of them shows that.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

if [ ! -d "${tools_tree-}" ]; then
    skip 'how programs show a denial' "${tools_tree:-there is no tree of Debian 13}"
    finish
fi
runtime=crun
mkdir -p "$lab/tools"
mount -t tmpfs tools "$lab/tools"
mkdir "$lab/tools"/{changes,work,files}
mount -t overlay -o "lowerdir=$tools_tree,upperdir=$lab/tools/changes,workdir=$lab/tools/work" overlay "$lab/tools/files"
ready "$build/tests/probe" listen tcp "$bridge_v4" 8000 hello

# prints WORDS [OPTION]...: what the container's shell makes of them, in one line
prints() {
    local words=$1
    shift
    engine $runtime run --rm "$@" --env HOME=/tmp --rootfs "$lab/tools/files" /bin/sh -c "timeout 60 $words" 2>&1 </dev/null | paste -sd ' '
}

# code CELL: without the marks of the document
code() {
    local cell=${1#*\`}
    echo "${cell%\`*}"
}

# Rows are | TOOL | `COMMAND` | `WHAT IT PRINTS` | yes or no |
rows=0
while IFS='|' read -r _ tool words shown reason _; do
    tool=${tool// /} words=$(code "$words") shown=$(code "$shown")
    rows=$((rows + 1))
    said=$(prints "$words" "${jailed[@]}")
    if [[ $said == *"$shown"* ]]; then ok "$tool: prints '$shown'"; else not_ok "$tool: prints '$shown'" "$said"; fi
    told=no
    if grep -qE 'EPERM|Operation not permitted' <<<"$said"; then told=yes; fi
    equal "$tool: shows the reason, or does not" "${reason// /}" $told
    said=$(prints "$words" --annotation jail-ai.block-host=false)
    if [[ $said != *"$shown"* ]]; then ok "$tool: without the jail it prints something else"; else not_ok "$tool: without the jail it prints something else" "$said"; fi
done < <(sed -n '/^| program | command /,/^$/{/^| [a-z]* *| `/p}' "$lib/../../docs/cookbook.md")
equal 'the table has its rows' 6 $rows
umount "$lab/tools/files" "$lab/tools"
finish
