#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What an ordinary user leaves where runtimes keep their states keeps no verb of root's from answering, makes verify fail by itself no more than any other
# file of the user's would, and hides no container that must be jailed.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"

hook=$build/hook/jail-ai-hook
user_id=1603
runtime_dir=/run/user/$user_id
as_user=(setpriv --reuid "$user_id" --regid "$user_id" --clear-groups)
install -d -m 755 /run/user
install -d -m 700 -o $user_id -g $user_id "$runtime_dir"
mount -t tmpfs -o "uid=$user_id,gid=$user_id,mode=700" tmpfs "$runtime_dir"
trap 'umount "$runtime_dir" && rmdir "$runtime_dir"' EXIT

# answers NAME: each verb does, and waits for nothing; verify with 0
answers() {
    local verb status
    for verb in status verify log doctor 'attach --container=none-of-that-name' 'detach --container=none-of-that-name' 'explain --container=none-of-that-name'; do
        status=0
        # shellcheck disable=SC2086 # two words
        timeout 60 "$hook" $verb >"$lab/answer" 2>&1 || status=$?
        equal "$1: ${verb%%=*} answers" yes "$([ $status -ne 124 ] && echo yes || echo 'no, and was waited for a minute')"
        case $verb in
            verify) matches "$1: verify names it and doesn't fail" "^0 .*uid $user_id has in '$runtime_dir/(crun|runc|docker[^ ]*)' what is not the state" "$status $(<"$lab/answer")" ;;
            status | log) equal "$1: $verb succeeds" 0 "$status" ;;
            doctor) matches "$1: doctor finds nothing amiss with containers" 'ok +containers no ' "$(<"$lab/answer")" ;;
            *) matches "$1: ${verb%%=*} looks for the container" "^66 .*no container 'none-of-that-name' runs" "$status $(<"$lab/answer")" ;;
        esac
    done
}

# leaves NAME: runs standard input as the user's Python in an empty directory of crun's or runc's, sees what root's verbs say, and empties it
leaves() {
    "${as_user[@]}" mkdir -p "$runtime_dir"/{crun,runc}
    (cd "$runtime_dir" && "${as_user[@]}" /usr/bin/python3 -)
    answers "$1"
    find "$runtime_dir" -mindepth 1 -delete
}

leaves 'hard links to one large state' <<'PYTHON'
import os
with open("large", "w") as file:
    file.write('{"pid": 1, "a": {' + ",".join(f'"{i:07}": 1' for i in range(349000)) + "}}")
for i in range(500):
    os.mkdir(f"crun/{i}")
    os.link("large", f"crun/{i}/status")
PYTHON
leaves 'large states, each of its own' <<'PYTHON'
import os
text = '{"init_process_pid": 1, "a": {' + ",".join(f'"{i:07}": 1' for i in range(80000)) + "}}"
for i in range(150):
    os.mkdir(f"runc/{i}")
    with open(f"runc/{i}/state.json", "w") as file:
        file.write(text)
PYTHON
leaves 'thousands of directories' <<'PYTHON'
import os
for i in range(8000):
    os.mkdir(f"crun/{i}")
    with open(f"crun/{i}/status", "w") as file:
        file.write("nonsense")
PYTHON
leaves 'a directory with 100,000 entries' <<'PYTHON'
for i in range(100000):
    open(f"crun/{i}", "w").close()
PYTHON
leaves 'thousands of runtimes of Docker' <<'PYTHON'
import os
for runtime in range(60):
    for namespace in range(50):
        os.makedirs(f"docker/runtime-{runtime}/{namespace}/container")
        with open(f"docker/runtime-{runtime}/{namespace}/container/state.json", "w") as file:
            file.write("nonsense")
os.mkfifo("docker/runtime-fifo")
os.symlink("/run", "docker/runtime-link")
PYTHON
leaves 'files of every other kind' <<'PYTHON'
import os, socket
for i in range(100):
    for kind in "fifo", "link", "socket", "sparse", "deep", "loop", "directory":
        os.mkdir(f"crun/{kind}{i}")
        name = f"crun/{kind}{i}/status"
        match kind:
            case "fifo": os.mkfifo(name)
            case "link": os.symlink("/proc/kcore", name)
            case "socket": socket.socket(socket.AF_UNIX).bind(name)
            case "sparse":
                open(name, "w").close()
                os.truncate(name, 1 << 40)
            case "deep":
                with open(name, "w") as file:
                    file.write('{"a":' * 10000)
            case "loop": os.symlink("status", name)
            case "directory": os.mkdir(name)
PYTHON

# served DIRECTORY: a file system that the user serves, and by which no question is ever answered, is mounted there as fusermount3(1) would mount it; the
# process that holds it is $server. False if the machine has none.
served() {
    [ -c /dev/fuse ] || return 1
    exec {serving}< <(exec /usr/bin/python3 - "$1" "$user_id" <<'PYTHON'
import ctypes, os, signal, sys
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40000,user_id={sys.argv[2]},group_id={sys.argv[2]},allow_other"
libc = ctypes.CDLL(None, use_errno=True)
failed = libc.mount(b"silent", sys.argv[1].encode(), b"fuse.silent", 6, options.encode())
print(os.strerror(ctypes.get_errno()) if failed else "mounted", flush=True)
signal.pause()
PYTHON
    )
    server=$!
    read -r -u "$serving" mounted
    [ "$mounted" = mounted ] || unserved
}
unserved() {
    kill "$server"
    exec {serving}<&-
    [ "$mounted" = mounted ]
}

if served "$runtime_dir"; then
    # Whose that is only the one who serves it could say.
    for verb in status verify; do
        status=0
        timeout 60 "$hook" $verb >"$lab/answer" 2>&1 || status=$?
        equal "a file system that never answers in the place of the user's directory: $verb succeeds" 0 "$status"
    done
    umount --lazy "$runtime_dir"
    unserved
else
    skip 'a file system that never answers' 'no FUSE here'
fi

# What can't be read hides no container: the kernel knows those that could be one.
said_of_hidden() {
    local status=0
    timeout 60 "$hook" verify >"$lab/answer" 2>&1 || status=$?
    echo "$status $(<"$lab/answer")"
}
exec {hidden}< <(exec "${as_user[@]}" unshare --user --map-root-user --net --pid --fork --kill-child sh -c 'echo ready; exec sleep 100')
sandbox=$!
read -r -u "$hidden" ready
equal 'a sandbox of the user starts' ready "$ready"
matches 'a sandbox and no state: none of the containers' '^0 containers that must be jailed' "$(said_of_hidden)"
"${as_user[@]}" mkdir -p "$runtime_dir/crun/odd"
"${as_user[@]}" tee "$runtime_dir/crun/odd/status" <<<nonsense >"$lab/written"
first=$(pgrep --parent "$sandbox")
matches 'a state that is none, and a process that could be its: verify fails and names the process' \
    "^1 .*uid $user_id in '$runtime_dir/crun'.* unknown whether its processes $first are containers that must be jailed" "$(said_of_hidden)"
"${as_user[@]}" tee "$runtime_dir/crun/odd/status" <<<"{\"pid\": $first, \"bundle\": \"$runtime_dir\"}" >"$lab/written"
"${as_user[@]}" tee "$runtime_dir/config.json" <<<'{"annotations": {"jail-ai.block-host": "true"}}' >"$lab/written"
matches 'with its state it is the container that it says' "^1 .*odd: not jailed \(run by uid $user_id, process $first\)" "$(said_of_hidden)"
"${as_user[@]}" cp -r "$runtime_dir/crun/odd" "$runtime_dir/crun/same"
matches 'a second state with that process is told as none' "process $first is another container's" "$(said_of_hidden)"
"${as_user[@]}" ln "$runtime_dir/config.json" "$runtime_dir/linked"
matches 'a config.json with two names is not read' "^1 .*unknown whether it must be jailed.*has 2 names" "$(said_of_hidden)"
"${as_user[@]}" rm -r "$runtime_dir/linked" "$runtime_dir/crun/same"
"${as_user[@]}" mkdir "$runtime_dir/served"
"${as_user[@]}" ln -s "$runtime_dir/served" "$runtime_dir/link"
if served "$runtime_dir/served"; then
    for bundle in "$runtime_dir/served" "$runtime_dir/link/below"; do
        "${as_user[@]}" tee "$runtime_dir/crun/odd/status" <<<"{\"pid\": $first, \"bundle\": \"$bundle\"}" >"$lab/written"
        matches "a config.json behind a file system that never answers is not asked for (${bundle#"$runtime_dir"})" \
            "^1 .*odd: unknown whether it must be jailed.*a file system of type 'fuse.silent' is on the way" "$(said_of_hidden)"
    done
    umount --lazy "$runtime_dir/served"
    unserved
else
    skip 'a config.json behind a file system that never answers' 'no FUSE here'
fi
# pasta makes itself the first process of a PID namespace, as a sandbox does.
tun_for_all
"${as_user[@]}" pasta --quiet --config-net --address 192.0.2.30 --gateway 192.0.2.1 --tcp-ports none --udp-ports none --pid "$runtime_dir/pasta" "$first"
matches 'a network of the user by pasta starts' '^pas(ta|st)' "$(cat "/proc/$(<"$runtime_dir/pasta")/comm")"
equal 'in a PID namespace of its own' 2 "$(awk '$1 == "NSpid:" { print NF - 1 }' "/proc/$(<"$runtime_dir/pasta")/status")"
"${as_user[@]}" tee "$runtime_dir/crun/odd/status" <<<nonsense >"$lab/written"
matches 'it is no container' "^1 .* unknown whether its processes $first are containers that must be jailed" "$(said_of_hidden)"
kill "$(<"$runtime_dir/pasta")"
kill -KILL "$sandbox" # unshare lets nothing less end it while it has a child
exec {hidden}<&-
while pgrep --uid "$user_id" >"$lab/left"; do sleep 0.02; done
matches 'and when it has ended, what is left is the user'"'"'s' '^0 ' "$(said_of_hidden)"
finish
