#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The machine is what the other themes take it for: Debian as it comes, and the hook as its package.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

declare -A kernel=([12]=6.1. [13]=6.12.)
matches "the kernel is the release's own" "^${kernel[$release]}.*-amd64\$" "$(uname -r)"
equal 'process 1 is systemd' systemd "$(</proc/1/comm)"
equal 'systemd says that all services run' running "$(</run/started)"
[ "$(</run/started)" = running ] || systemctl --failed --plain --no-legend
matches 'BPF LSM is active' '(^|,)bpf(,|$)' "$(</sys/kernel/security/lsm)"
equal 'cgroup v2 is the only one' cgroup2fs "$(stat --file-system --format %T /sys/fs/cgroup)"
equal 'podman leaves cgroups to systemd' systemd "$(podman info --format '{{.Host.CgroupManager}}')"
matches 'the installed hook runs' '^jail-ai-hook [0-9]' "$(/usr/libexec/oci/hooks.d/jail-ai-hook --version)"
ok "with podman $(podman --version | awk '{ print $3 }'), crun $(crun --version | awk 'NR == 1 { print $3 }'), runc $(runc --version | awk 'NR == 1 { print $3 }'), systemd $(systemctl --version | awk 'NR == 1 { print $2 }'), Linux $(uname -r | sed 's/-.*//')"
equal 'packet, vsock and Unix sockets are there for the taking' 'packet open vsock open unix open' \
    "$("$build/tests/family" packet vsock unix | paste -sd ' ')"
finish
