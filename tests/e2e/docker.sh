#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Debian 13's Docker, whose runtime is the hook's verb "runtime": dockerd, its containerd and BuildKit as they are, without a registry. $docker_tree, see run.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=engine.sh
. "$lib/engine.sh"
# shellcheck source=documents.sh
. "$lib/documents.sh"
# shellcheck source=notice.sh
. "$lib/notice.sh"

gateway=172.17.0.1 # Docker's, on docker0
settings=$engine_files/etc/jail-ai-hook.conf
if [ ! -d "${docker_tree-}" ]; then
    skip 'Docker' "${docker_tree:-there is no tree of it}"
    finish
fi

docker() { beside docker "$@"; }

# crun takes no container without the controllers that Docker names, and Docker always names "io", with nothing to set. Where the view has none (a hybrid machine),
# that word is taken out of config.json before the hook's link is called.
crun_path() {
    if grep -qw io /sys/fs/cgroup/cgroup.controllers; then
        echo /usr/bin/jail-ai-crun
        return
    fi
    install -D /bin/busybox "$engine_files/usr/local/bin/busybox"
    cat >"$engine_files/usr/local/bin/crun-without-io" <<'SCRIPT'
#!/bin/sh
config=''
for word; do
    [ "$config" != next ] || config=$word/config.json
    [ "$word" != --bundle ] || config=next
done
[ -z "$config" ] || /usr/local/bin/busybox sed -i 's/,"blockIO":{[^{}]*}//' "$config"
exec /usr/bin/jail-ai-crun "$@"
SCRIPT
    chmod +x "$engine_files/usr/local/bin/crun-without-io"
    echo /usr/local/bin/crun-without-io
}

docker_up() {
    local daemon
    engine_tree_up "$docker_tree"
    mkdir -p "$engine_files/etc/docker" "$lab/context"
    document docker-daemon
    equal 'documents: docker-daemon is the one of the examples' "$(jq -c . "$sources/examples/docker/daemon.json")" "$(jq -c . <<<"$text")"
    daemon=$text
    document docker-always
    jq --argjson daemon "$daemon" --arg crun "$(crun_path)" '{runtimes: ($daemon.runtimes + {"jail-ai-crun": {path: $crun}, "jail-ai-always": .runtimes."jail-ai"})}' \
        <<<"$text" >"$engine_files/etc/docker/daemon.json"
    engine_start /var/lib/docker env DOCKER_BUILDKIT_RUNC_COMMAND=/usr/bin/jail-ai-runc dockerd --host unix:///run/docker.sock --storage-driver overlay2
    engine_says 'API listen on /run/docker.sock'
    tar -C "$lab/rootfs" --exclude ./run/jail-ai-hook.md -c . | docker import - lab >"$lab/import"
    ready "$build/tests/probe" listen tcp "$gateway" "$port" hello
    nft -f - <<RULES
table inet docker_witness {
    counter arrived { }
    chain input {
        type filter hook input priority raw;
        ip saddr 172.16.0.0/12 tcp dport $port tcp flags & (syn | ack) == syn counter name arrived
    }
}
RULES
}

# What it leaves in the view's network.
# shellcheck disable=SC2317 # by the trap
docker_down() {
    local containers kind
    if [ -n "$engine_pid" ]; then
        mapfile -t containers < <(docker ps --all --quiet)
        [ ${#containers[@]} -eq 0 ] || docker rm --force "${containers[@]}" >"$lab/removed"
        docker network prune --force >"$lab/removed"
        for kind in iptables ip6tables; do beside "$kind-save" | grep -v -e DOCKER -e docker0 | beside "$kind-restore"; done
        ip link delete docker0
    fi
    nft delete table inet docker_witness
    engine_down /sys/fs/cgroup/docker
}

# shellcheck disable=SC2317 # by the trap
end() {
    local status=$?
    docker_down || not_ok 'Docker goes'
    [ -n "$report_finished" ] || not_ok "${0##*/}" "ended before its time with status $status"
}
trap end EXIT

arrived() { nft --json reset counter inet docker_witness arrived | jq '.nftables[].counter.packets // empty'; }

# begin NAME OPTION... -- COMMAND...: until it has printed "probed". What TCP and UDP gave goes to $results.
begin() {
    local name=$1 options=() line='' stdout
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    results=
    docker run --detach --name "$name" "${options[@]}" lab "$@" >"$lab/docker.out" 2>&1 || return 1
    exec {stdout}< <(docker logs --follow "$name" 2>&1)
    while IFS= read -r -t "${patience:-60}" -u "$stdout" line; do
        [ "$line" != probed ] || break
        case $line in tcp* | udp*) results+="${results:+ }${line##* }" ;; esac
    done
    exec {stdout}<&-
    [ "$line" = probed ]
}

docker_cgroup() {
    local pid
    pid=$(docker inspect --format '{{.State.Pid}}' "$1")
    sed -n 's|^0::|/sys/fs/cgroup|p' "/proc/$pid/cgroup"
}

# tried OPTION...: what TCP to the host, to Docker's gateway and to the internet gives, or why docker doesn't start it
tried() {
    docker run --rm "$@" lab /probe tcp "$host_v4" "$port" -- tcp "$gateway" "$port" -- tcp "$internet_v4" "$port" >"$lab/docker.out" 2>"$lab/docker.err" || :
    if grep -q '^tcp' "$lab/docker.out"; then awk '{ print $NF }' "$lab/docker.out" | paste -sd ' '; else paste -sd ' ' "$lab/docker.err"; fi
}

annotated=(--annotation jail-ai.block-host=true)
open='reached reached reached' closed='EPERM EPERM reached'

one_container() {
    local runtime=$1 name=$2
    local listens=(/probe listen tcp 0.0.0.0 "$own_port" hello "then" tcp "$host_v4" "$port" -- tcp "$gateway" "$port" -- tcp "$internet_v4" "$port")
    arrived >"$lab/arrived"
    if ! begin free --runtime "$runtime" -- "${listens[@]}"; then
        not_ok "$name, without an annotation: starts" "$(<"$lab/docker.out")"
        return
    fi
    equal "$name, without an annotation: reaches the host" "$open" "$results"
    equal "$name, the same: two connections arrive there" 2 "$(arrived)"
    equal "$name, the same: nothing is attached" '' "$(programs "$(docker_cgroup free)")"
    docker rm --force free >"$lab/removed"
    if ! begin agent --runtime "$runtime" "${annotated[@]}" --publish 8400:"$own_port" -- "${listens[@]}"; then
        not_ok "$name: starts" "$(<"$lab/docker.out")"
        return
    fi
    equal "$name: the host is denied, the internet is not" "$closed" "$results"
    equal "$name: nothing arrives at the host" 0 "$(arrived)"
    equal "$name: both are counted" 'local 2' "$(denials "$(docker_cgroup agent)" | grep -v ^multicast)"
    equal "$name: docker exec is in the jail" 'EPERM reached' \
        "$(docker exec agent /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" | awk '{ print $NF }' | paste -sd ' ')"
    equal "$name: its published port answers the internet" reached "$(ip netns exec internet "$build/tests/probe" tcp $host_v4 8400)"
    equal "$name: and the host" 'reached reached' "$("$build/tests/probe" tcp $host_v4 8400) $("$build/tests/probe" tcp 127.0.0.1 8400)"
    equal "$name: verify finds it jailed" 0 "$("$build/hook/jail-ai-hook" verify >"$lab/verify" 2>&1; echo $?)"
    matches "$name: log shows it by its name" "[0-9a-f]{12} \(agent\) denied ${host_v4//./\\.}:$port/tcp" "$(beside jail-ai-hook log agent)"
    docker restart --time 0 agent >"$lab/restarted"
    equal "$name, restarted: it is in a jail" 'EPERM reached' \
        "$(docker exec agent /probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port" | awk '{ print $NF }' | paste -sd ' ')"
    equal "$name, restarted: the notice is there again" "$sum" "$(docker exec agent /bin/busybox md5sum /run/jail-ai-hook.md | sed 's|/run.*|-|')"
    docker rm --force agent >"$lab/removed"
    version="Docker $number"
    # shellcheck disable=SC2119 # options of a container
    check
}

# shellcheck disable=SC2317 # for check
seen() { docker run --rm --runtime "$runtime" "$@" lab /bin/sh -c "$look" 2>&1; }

rejections() {
    matches 'a mistyped value: docker shows why' "rejected: container [0-9a-f]*: jail-ai.block-host: 'yes'" \
        "$(tried --runtime jail-ai --annotation jail-ai.block-host=yes)"
    logged typo >"$lab/logged"
    matches 'the same: syslog has it once' '^1 .*rejected: container' "$(grep -c ': rejected: ' "$lab/logged") $(paste -sd '|' "$lab/logged")"
    matches 'a mistyped key: docker shows why' 'jail-ai.blok-host' "$(tried --runtime jail-ai --annotation jail-ai.blok-host=true)"
    matches 'a capability: docker shows what to do' 'rejected: .*CAP_NET_ADMIN.*cap_drop: \[NET_ADMIN\]' \
        "$(tried --runtime jail-ai "${annotated[@]}" --cap-add NET_ADMIN)"
    matches "crun, a mistyped value: docker shows why" "rejected: container [0-9a-f]*: jail-ai.block-host: 'yes'" \
        "$(tried --runtime jail-ai-crun --annotation jail-ai.block-host=yes)"
    equal 'an accepted risk' "$closed" \
        "$(tried --runtime jail-ai "${annotated[@]}" --annotation jail-ai.block-host.accept=cap_net_admin --cap-add NET_ADMIN)"
    logged rejections >"$lab/logged"
}

networks() {
    equal "the host's network" "EPERM EPERM reached" "$(tried --runtime jail-ai "${annotated[@]}" --network host)"
    docker network create own >"$lab/network"
    begin web --network own --runtime jail-ai "${annotated[@]}" -- /probe listen tcp 0.0.0.0 "$own_port" hello "then" tcp 127.0.0.1 "$own_port" -- \
        tcp "$host_v4" "$port"
    equal 'a network of its own: jailed' 'reached EPERM' "$results"
    matches "a network of its own: Docker's DNS names another container" 'Address.*172\.' \
        "$(docker run --rm --network own --runtime jail-ai "${annotated[@]}" lab /bin/busybox nslookup web 2>&1 | paste -sd ' ')"
    equal 'a network of its own: that container is reached' reached "$(docker run --rm --network container:web lab /probe tcp 127.0.0.1 "$own_port")"
    docker rm --force web >"$lab/removed"
    equal 'host-gateway, one port allowed' 'reached reached reached' \
        "$(tried --runtime jail-ai "${annotated[@]}" --add-host host.docker.internal:host-gateway --annotation "jail-ai.block-host.allow=host:$port")"
}

administrator() {
    equal 'a runtime with the setting: jailed without an annotation' "$closed" "$(tried --runtime jail-ai-always)"
    equal "the same: Docker's annotation may loosen it" "$open" "$(tried --runtime jail-ai-always --annotation jail-ai.block-host=false)"
    echo 'block-host = true' >"$settings"
    equal 'settings of the machine: jailed without an annotation' "$closed" "$(tried --runtime jail-ai)"
    equal "the same: Docker's own runtime is left alone" "$open" "$(tried)"
    begin agent --runtime jail-ai -- /probe listen tcp 127.0.0.1 "$own_port" "then" tcp 127.0.0.1 "$own_port" -- tcp "$host_v4" "$port"
    echo 'block-hots = true' >"$settings"
    matches 'a mistake in them: docker shows it' 'rejected: .*jail-ai-hook.conf.*block-hots' "$(tried --runtime jail-ai)"
    equal 'the same: what runs can be stopped' agent "$(docker rm --force agent)"
    rm "$settings"
}

builds() {
    echo 'block-host = true' >"$settings"
    printf 'FROM lab\nRUN ["/probe", "tcp", "%s", "%s", "--", "tcp", "%s", "%s"]\n' $host_v4 "$port" $internet_v4 "$port" >"$lab/Dockerfile"
    equal 'a RUN step of BuildKit is jailed by the settings of the machine' 'EPERM reached' \
        "$(docker build --no-cache --progress plain --file "$lab/Dockerfile" "$lab/context" 2>&1 | tee "$lab/build.out" | sed -n 's/.* tcp [0-9.]* [0-9]* \([A-Za-z]*\)$/\1/p' | paste -sd ' ')"
    # shellcheck disable=SC2016 # for the shell in the step
    printf 'FROM lab\nRUN ["/bin/sh", "-c", "echo told $JAIL_AI_NOTICE"]\n' >"$lab/Dockerfile"
    matches 'a RUN step is told so by the variable' 'told This container cannot connect' \
        "$(docker build --no-cache --progress plain --file "$lab/Dockerfile" --tag localhost/step "$lab/context" 2>&1 | paste -sd ' ')"
    rm "$settings"
    # shellcheck disable=SC2016
    equal 'nothing of the notice is in the image' none "$(docker run --rm localhost/step /bin/sh -c '[ -e /run/jail-ai-hook.md ] || echo none')"
    printf 'FROM lab\nRUN ["/probe", "tcp", "%s", "%s", "--", "tcp", "%s", "%s"]\n' $host_v4 "$port" $internet_v4 "$port" >"$lab/Dockerfile"
    equal 'without them it is not' 'reached reached' \
        "$(docker build --no-cache --progress plain --file "$lab/Dockerfile" "$lab/context" 2>&1 | sed -n 's/.* tcp [0-9.]* [0-9]* \([A-Za-z]*\)$/\1/p' | paste -sd ' ')"
}

# As the documents have it: the image is the lab's, whose command probes.
documented() {
    local command=(/probe tcp "$host_v4" "$port" -- tcp "$internet_v4" "$port")
    docker build --quiet --tag localhost/agent --file - "$lab/context" >"$lab/build.out" <<FILE
FROM lab
CMD $(printf '%s\n' "${command[@]}" | jq -R . | jq -cs .)
FILE
    document docker-run
    equal 'documents: docker-run' 'EPERM reached' "$(eval "${text//IMAGE/localhost/agent}" 2>&1 | awk '{ print $NF }' | paste -sd ' ')"
    document docker-compose
    for text in "${text//IMAGE/localhost/agent}" "$(<"$sources/examples/compose/docker.yaml")"; do
        echo "$text" >"$lab/compose.yaml"
        equal 'documents: docker-compose, and that of the examples' 'EPERM reached' \
            "$(docker compose --file "$lab/compose.yaml" up --no-color --no-log-prefix 2>"$lab/compose.err" | sed -n 's/.*tcp [0-9.]* [0-9]* \([A-Za-z]*\).*/\1/p' | paste -sd ' ')"
        docker compose --file "$lab/compose.yaml" down >"$lab/removed" 2>&1
    done
}

docker_up
number=$(docker version --format '{{.Server.Version}}')
one_container jail-ai "Docker $number, runc"
one_container jail-ai-crun "Docker $number, crun"
equal "annotations mean nothing to Docker's own runtime" "$open" "$(tried "${annotated[@]}")"
rejections
networks
administrator
builds
documented
finish
