# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# A container that the stage createRuntime refuses, as the one who asked for it, syslog and the machine see it. To be sourced after containers.sh and
# syslog.sh. The hooks are those in $refusing_hooks, by default createRuntime alone, as the lab has it.

# refused NAME RUNTIME STATUS REASON PODMAN-OPTION...: STATUS is the hook's own, REASON a regular expression that its message matches.
# Whatever were left of the container would keep its name from the next one.
refused() {
    : "${lab:?}"
    local name="$1, $2" runtime=$2 status=$3 reason=$4 words podman_status=0 id='no container'
    shift 4
    words=$(hooks=${refusing_hooks:-$lab/hooks.d} engine "$runtime" run --rm --name refused --cidfile "$lab/refused.id" "$@" \
        --rootfs "$lab/rootfs" /probe tcp "${host_v4:?}" "${port:?}" 2>"$lab/refused.err") || podman_status=$?
    if [ -e "$lab/refused.id" ]; then id=$(<"$lab/refused.id"); fi
    rm -f "$lab/refused.id"
    equal "$name: podman fails with 126, and nothing ran" 126 "$podman_status$words"
    case $runtime in
        crun) matches "$name: crun tells the exit status" "exit code: $status\)" "$(<"$lab/refused.err")" ;;
        runc) matches "$name: runc tells exit status and reason" "exit status $status.*jail-ai-hook: .*$reason" "$(<"$lab/refused.err")" ;;
    esac
    matches "$name: syslog has one line, an error that names hook, container and reason" "^<27>[^|]*jail-ai-hook[^|]*${id:0:12}[^|]*${reason}[^|]*\$" \
        "$(logged "$name" | paste -sd '|')"
    equal "$name: no cgroup is left, and nothing is attached, wherever" '' "$(find /sys/fs/cgroup -name "*$id*")$(attached_anywhere)"
}
