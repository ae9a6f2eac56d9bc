#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme precreate with the podman, crun and runc of the Debian release after this one, where their files can be had: $next_release, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=families.sh
. "$lib/families.sh"

if [ ! -d "${next_release-}" ]; then
    skip "podman of Debian's next release" "${next_release:-there is no tree of it}"
    finish
fi

# The hook runs there with this system's libraries.
hook=$build/hook/jail-ai-hook
portable=$lab/portable
mkdir "$portable" "$portable/hooks.d"
mapfile -t libraries < <(ldd "$hook" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
cp "$hook" "${libraries[@]}" "$portable"
cat >"$portable/hook" <<HOOK
#!/bin/sh
exec $portable/ld-linux-*.so.* --library-path $portable $portable/jail-ai-hook "\$@"
HOOK
chmod +x "$portable/hook"
for json in "$build"/hooks.d/*.json; do jq --arg path "$portable/hook" '.hook.path = $path' "$json" >"$portable/hooks.d/${json##*/}"; done

hooks=$portable/hooks.d
podman=("$lib/in-tree" "$next_release" podman)
number=$("${podman[@]}" --version | awk '{ print $3 }')
for runtime in crun runc; do
    version="podman $number, $runtime"
    judge_podman
done
finish
