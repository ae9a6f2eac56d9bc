#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Who didn't ask for a jail gets none: without the annotation, with "false", and with somebody else's annotation of a similar name.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"

for runtime in crun runc; do
    for annotation in '' jail-ai.block-host=false jail-ail.block-host=yes x-jail-ai.block-host=true; do
        name="$runtime, annotation '$annotation'"
        options=(--network dual)
        [ -z "$annotation" ] || options+=(--annotation "$annotation")
        if ! start free "$runtime" "${options[@]}" -- /probe listen tcp 127.0.0.1 "$own_port" \
            "then" tcp "$host_v4" "$port" -- udp "$host_v6" "$port" -- tcp "$metadata_v4" "$port"; then
            not_ok "$name: starts" "$(why free)"
            continue
        fi
        equal "$name: reaches the host" 'reached reached reached' "$(sed 1d <<<"${lines%$'\n'}" | awk '{ print $4 }' | paste -sd ' ')"
        equal "$name: nothing is attached" '' "$(programs "$(cgroup_of free)")"
        remove "$runtime" free
    done
done
finish
