#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme precreate with the podman, crun and runc of Debian 13, where their files can be had: $trixie_tree, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=families.sh
. "$lib/families.sh"

# shellcheck source=portable.sh
. "$lib/portable.sh"
hooks=$portable/hooks.d
podman=("$lib/in-tree" "$trixie_tree" podman)
# shellcheck source=kept-hooks.sh
. "$lib/kept-hooks.sh"
number=$("${podman[@]}" --version | awk '{ print $3 }')

# podman 5 adds to what others name, whenever they name it. CONTAINERS_CONF_OVERRIDE stands for a file that is read later.
check_added() {
    mkdir -p "$lab/path"
    printf '#!/bin/sh\nPATH=%s exec %s "$@"\n' "$PATH" "${podman[*]}" >"$lab/path/podman"
    chmod 755 "$lab/path/podman"
    PATH=$lab/path:$PATH write_settings "$lab/added.conf"
    sed "s|^hooks_dir = .*|hooks_dir = [\"$lab/others.d\"]|" "$CONTAINERS_CONF" >"$lab/others.conf"
    equal "$version: installed, both stages are found, and others' hooks" 'EPERM vsock EAFNOSUPPORT called' \
        "$(CONTAINERS_CONF=$lab/others.conf CONTAINERS_CONF_OVERRIDE=$lab/added.conf others_and_ours "${podman[@]}" | words)"
    sed 's/, {append=true}//' "$lab/added.conf" >"$lab/plain.conf"
    equal "$version: where ours were named alone, others' hooks were not called" 'EPERM vsock EAFNOSUPPORT not called' \
        "$(CONTAINERS_CONF=$lab/others.conf CONTAINERS_CONF_OVERRIDE=$lab/plain.conf others_and_ours "${podman[@]}" | words)"
    logged "$version" >"$lab/logged"
}

for runtime in crun runc; do
    version="podman $number, $runtime"
    check_podman
    check_added
done
finish
