#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What podman starts once it has asked the hook's precreate stage: a container, in the jail that createRuntime gives it, that opens no socket
# which the jail's programs don't see, by whatever system call and under whatever profile; those that they do see it opens as before.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=families.sh
. "$lib/families.sh"

hooks=$build/hooks.d # both stages, from the build tree
# shellcheck source=kept-hooks.sh
. "$lib/kept-hooks.sh"
podman=(podman)

# What else is to be known of a jailed container: that it is in its jail, that no set holds the capability, that podman exec gets no more.
check_jail() {
    local name=$version sets process set
    if ! start inside "${runtime##*/}" "${jailed[@]}" --network ns:/run/netns/side -- \
        /probe listen tcp 127.0.0.1 "$own_port" "then" tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port"; then
        not_ok "$name: starts" "$(why inside)"
        return
    fi
    equal "$name: it is in its jail" 'EPERM reached' "$(awk '$1 == "tcp" { print $NF }' <<<"$lines" | words)"
    logged "$name" >"$lab/logged"
    for process in 1 self; do
        sets=$(engine "${runtime##*/}" exec inside /bin/busybox sed -n 's/^Cap.*:\t//p' /proc/$process/status)
        equal "$name: none of the five sets of process $process has CAP_NET_RAW" '0 0 0 0 0' "$(while read -r set; do echo $((16#$set >> 13 & 1)); done <<<"$sets" | words)"
    done
    equal "$name: podman exec opens no more" 'tcp open packet EAFNOSUPPORT vsock EAFNOSUPPORT vsock-socketcall SIGSYS' \
        "$(engine "${runtime##*/}" exec inside /family tcp packet vsock vsock-socketcall | words)"
    remove "${runtime##*/}" inside
}

# podman finds both stages by itself where they are installed, by the settings file that says where, and still those of others. Plain
# settings, as the control, put theirs aside.
check_installed() {
    local settings=/etc/containers # the view's own copy
    local plain="hooks_dir = [\"$lab/shared.d\", \"$lab/podman.d\"]"
    mkdir -p "$settings/containers.conf.d"
    sed "s|^hooks_dir = .*|hooks_dir = [\"$lab/others.d\"]|" "$CONTAINERS_CONF" >"$settings/containers.conf"
    printf '[engine]\n%s\n' "$plain" >"$settings/containers.conf.d/50-jail-ai-hook.conf"
    equal "$version: where ours were named alone, others' hooks were not called" 'EPERM vsock EAFNOSUPPORT not called' \
        "$(others_and_ours env --unset CONTAINERS_CONF podman | words)"
    write_settings "$settings/containers.conf.d/50-jail-ai-hook.conf"
    equal "$version: installed, both stages are found, and others' hooks" 'EPERM vsock EAFNOSUPPORT called' \
        "$(others_and_ours env --unset CONTAINERS_CONF podman | words)"
    equal "$version: and installed over that, they stay" 1 "$(write_settings "$settings/containers.conf.d/50-jail-ai-hook.conf" && grep -c "others.d" "$settings/containers.conf.d/50-jail-ai-hook.conf")"
    rm "$settings/containers.conf"
    write_settings "$settings/containers.conf.d/50-jail-ai-hook.conf"
    equal "$version: without others ours are named alone" "hooks_dir = [\"/usr/share/containers/oci/hooks.d\", \"$lab/shared.d\", \"$lab/podman.d\"]" \
        "$(grep ^hooks_dir "$settings/containers.conf.d/50-jail-ai-hook.conf")"
    echo 'no TOML' >"$settings/containers.conf"
    matches "$version: settings that can't be read are named, and ours are there" "^jail-ai-hook: .*/etc/containers/containers.conf.*podman-settings: .*leaves out.*" \
        "$(write_settings "$settings/containers.conf.d/50-jail-ai-hook.conf" 2>&1 | words)"
    equal "$version:   alone" "$plain" "$(grep ^hooks_dir "$settings/containers.conf.d/50-jail-ai-hook.conf")"
    rm "$settings/containers.conf" "$settings/containers.conf.d/50-jail-ai-hook.conf"
    logged "$version" >"$lab/logged"
}

for name in crun runc; do
    runtime=$lab/bin/$name
    version="podman $(podman --version | awk '{ print $3 }'), $name"
    check_podman
    check_jail
    check_installed
done
finish
