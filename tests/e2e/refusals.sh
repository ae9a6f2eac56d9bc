#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A container that asks for a jail and can't have it does not run: podman fails, the reason is in syslog (and, where the runtime shows
# it, in podman's own words), and neither a container nor a cgroup nor a program is left.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=refusal.sh
. "$lib/refusal.sh"

# STATUS is the hook's own, as the runtime tells it; REASON must be in the message; runc refuses --cgroups=disabled by itself.
requests=$(
    cat <<'TABLE'
# NAME                      RUNTIMES   STATUS REASON                   OPTIONS
mistyped-value              crun,runc  65     jail-ai.block-host       --annotation=jail-ai.block-host=yes
value-in-capitals           crun,runc  65     jail-ai.block-host       --annotation=jail-ai.block-host=True
empty-value                 crun,runc  65     jail-ai.block-host       --annotation=jail-ai.block-host=
unknown-key                 crun,runc  65     jail-ai.blok-host        --annotation=jail-ai.blok-host=true
unknown-key-beside-a-good   crun,runc  65     jail-ai.blok-host        --annotation=jail-ai.blok-host=true --annotation=jail-ai.block-host=true
mistyped-allow              crun,runc  65     jail-ai.block-host.allwo --annotation=jail-ai.block-host=true --annotation=jail-ai.block-host.allwo=host:4000
unknown-risk                crun,runc  65     accept.*'cap_bfp'        --annotation=jail-ai.block-host=true --annotation=jail-ai.block-host.accept=cap_bfp
risk-as-the-kernel-calls-it crun,runc  65     accept.*'CAP_BPF'        --annotation=jail-ai.block-host=true --annotation=jail-ai.block-host.accept=CAP_BPF
no-risk                     crun,runc  65     block-host.accept        --annotation=jail-ai.block-host=true --annotation=jail-ai.block-host.accept=
accept-without-a-jail       crun,runc  65     no.annotation            --annotation=jail-ai.block-host.accept=cap_bpf
packet-sockets-as-by-default crun,runc 78     CAP_NET_RAW.*precreate.*accept=cap_net_raw --annotation=jail-ai.block-host=true
no-cgroup-of-its-own        crun       78     cgroup                   --annotation=jail-ai.block-host=true --cgroups=disabled
TABLE
)

for runtime in crun runc; do
    equal "$runtime: a good request runs" EPERM \
        "$(engine "$runtime" run --rm --network host "${jailed[@]}" --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port")"
    matches "$runtime: a good request logs what was done, for information" '^<30>[^|]*dropped[^|]*\|<30>[^|]*jail-ai-hook[^|]*jailed: denies[^|]*$' \
        "$(logged good | paste -sd '|')"
    while read -r name runtimes status reason options; do
        case $name,$runtimes, in
            '#'*) ;;
            *,"$runtime",*)
                read -ra options <<<"$options"
                refused "$name" "$runtime" "$status" "$reason" --network host "${options[@]}"
                ;;
        esac
    done <<<"$requests"
done

# By its name alone: it is runc.
cp "$(command -v runc)" "$lab/bin/other-runtime"
equal 'a runtime that is not known: the request runs' EPERM \
    "$(engine other-runtime run --rm --network host "${jailed[@]}" --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port")"
matches 'a runtime that is not known: the log warns of it' "<28>[^|]*runtime '[^']*other-runtime' is not known" "$(logged unknown | paste -sd '|')"
mv "$lab/bin/other-runtime" "$lab/bin/runsc"
equal "a runtime with gVisor's name: nothing runs" '' \
    "$(engine runsc run --rm --network host "${jailed[@]}" --rootfs "$lab/rootfs" /probe tcp "$host_v4" "$port" 2>"$lab/runsc.err")"
matches "a runtime with gVisor's name: the log says why" '<27>[^|]*rejected: [^|]*gVisor has a network stack of its own' "$(logged gvisor | paste -sd '|')"
rm "$lab/bin/runsc"
finish
