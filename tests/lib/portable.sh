# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# The hook for a newer Debian, in whose tree (see in-tree) it runs with this one's libraries: $portable/hook, and
# $portable/hooks.d with the JSON for it. Ends the theme where the release can't be had: $engine_tree, or else $trixie_tree, see tests/e2e/run. To be sourced after
# containers.sh.

: "${build:?the build directory}" "${lab:?}"
engine_tree=${engine_tree-${trixie_tree-}}
if [ ! -d "$engine_tree" ]; then
    skip "podman of a newer Debian" "${engine_tree:-there is no tree of it}"
    finish
fi
hook=$build/hook/jail-ai-hook
portable=$lab/portable
rm -rf "$portable" # of a theme before
mkdir "$portable" "$portable/hooks.d"
mapfile -t libraries < <(ldd "$hook" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
cp "$hook" "${libraries[@]}" "$portable"
cat >"$portable/hook" <<HOOK
#!/bin/sh
exec $portable/ld-linux-*.so.* --library-path $portable $portable/jail-ai-hook "\$@"
HOOK
chmod +x "$portable/hook"
for json in "$build"/hooks.d/*.json; do jq --arg path "$portable/hook" '.hook.path = $path' "$json" >"$portable/hooks.d/${json##*/}"; done
