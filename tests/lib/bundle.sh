#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# bundle.sh DIRECTORY ROOTFS [--annotation KEY=VALUE] [--hook PROGRAM] [--netns PATH] [--cgroup PATH] -- COMMAND...
#
# Writes DIRECTORY/config.json, the smallest OCI bundle that crun and runc run, so that the hook can be tested as the runtimes call it,
# with no engine between. PROGRAM becomes a createRuntime hook. Without --netns the container shares the caller's network namespace.
set -eu

directory=$1 rootfs=$2 annotations='{}' hook='' netns='' cgroup=/bundle
shift 2
while [ "$1" != -- ]; do
    case $1 in
        --annotation) annotations=$(jq -c --arg key "${2%%=*}" --arg value "${2#*=}" '.[$key] = $value' <<<"$annotations") ;;
        --hook) hook=$2 ;;
        --netns) netns=$2 ;;
        --cgroup) cgroup=$2 ;;
        *) sed -n '3s/^# /usage: /p' "$0" >&2; exit 64 ;;
    esac
    shift 2
done
shift

mkdir -p "$directory"
jq -n --arg rootfs "$rootfs" --argjson annotations "$annotations" --arg hook "$hook" --arg netns "$netns" \
    --arg cgroup "$cgroup" '{
    ociVersion: "1.0.2",
    process: { terminal: false, user: { uid: 0, gid: 0 }, args: $ARGS.positional, env: ["PATH=/bin"], cwd: "/", noNewPrivileges: true },
    root: { path: $rootfs, readonly: true },
    hostname: "bundle",
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    annotations: $annotations,
    hooks: (if $hook == "" then {} else { createRuntime: [{ path: $hook, args: ["jail-ai-hook", "createRuntime"], timeout: 10 }] } end),
    linux: {
        cgroupsPath: $cgroup,
        namespaces: ([{ type: "pid" }, { type: "mount" }, { type: "ipc" }, { type: "uts" }, { type: "cgroup" }]
            + (if $netns == "" then [] else [{ type: "network", path: $netns }] end))
    }
}' --args -- "$@" >"$directory/config.json"
