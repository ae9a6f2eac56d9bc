#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Ordinary things work in a jail: packages and repositories come from the internet, servers and buses inside serve those inside.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

# In a network of its own it also has a loopback of its own.
things=(apt git-by-path git-by-http bus-by-path bus-by-abstract ping)
declare -A more=([bridge]='python node' [host]='')

# What the internet serves: an archive with one package, a repository with one file.
web=$lab/web
mkdir -p "$web/debian" "$lab/greeting/DEBIAN" "$lab/greeting/usr/bin"
printf '%s\n' 'Package: greeting' 'Version: 1' 'Architecture: all' 'Maintainer: a <a@b>' 'Description: says hello' >"$lab/greeting/DEBIAN/control"
printf '%s\n' '#!/bin/sh' 'echo hello' >"$lab/greeting/usr/bin/greeting"
chmod 755 "$lab/greeting/usr/bin/greeting"
dpkg-deb --root-owner-group --build "$lab/greeting" "$web/debian/greeting.deb" >"$lab/web.log"
(cd "$web/debian" && apt-ftparchive packages . >Packages && apt-ftparchive release . >Release) 2>>"$lab/web.log"
echo hello >"$web/file"
git init --quiet "$lab/work" 2>>"$lab/web.log"
cp "$web/file" "$lab/work/file"
git -C "$lab/work" add file
git -C "$lab/work" -c user.name=a -c user.email=a@b commit --quiet --message one
git clone --quiet --bare "$lab/work" "$web/repository.git"
git -C "$web/repository.git" update-server-info
read -r -t "$patience" _ < <(ip netns exec internet python3 -u -m http.server --bind $internet_v4 --directory "$web" 80 2>"$lab/web.err")

# With CAP_NET_RAW, which the files of Debian's ping ask for where it isn't left to everybody, and which has to be accepted in the host's network.
declare -A accepted=([bridge]='' [host]='--annotation jail-ai.block-host.accept=cap_net_raw')
work() {
    local name="$1 network, $runtime" thing all accepts
    read -ra accepts <<<"${accepted[$1]}"
    read -ra all <<<"${things[*]} ${more[$1]}"
    if ! rootfs=$whole start worker "$runtime" --network "$1" --cap-add=net_raw "${jailed[@]}" "${accepts[@]}" -v "$inside/works:/works:ro" -- /works $internet_v4 "${all[@]}"; then
        not_ok "$name: all is tried" "$lines$(why worker)$(journal)"
        return
    fi
    for thing in "${all[@]}"; do equal "$name: $thing" "$thing works" "$(grep "^${thing}[ :]" <<<"$lines")"; done
    equal "$name: nothing of it was denied" '' "$(denials "$(cgroup_of worker)")"
    equal "$name: podman exec works, and is jailed" 'EPERM reached' \
        "$(engine "$runtime" exec worker "$build/tests/probe" tcp $host_v4 $port -- tcp $internet_v4 $port 30000 | awk '{ print $4 }' | paste -sd ' ')"
    remove "$runtime" worker
}

for runtime in crun runc; do
    for network in bridge host; do work $network; done
done

# An administrator who wants every container jailed still builds images: what a build runs is no container of podman's, and says so nowhere.
mkdir -p /etc/containers/containers.conf.d "$lab/context"
printf '%s\n' '[containers]' 'annotations = ["jail-ai.block-host=true"]' >/etc/containers/containers.conf.d/60-always.conf
cp "$lab/rootfs/bin/busybox" "$lab/rootfs/probe" "$lab/context"
printf '%s\n' 'FROM scratch' 'COPY busybox probe /bin/' 'RUN ["/bin/busybox", "touch", "/built"]' 'CMD ["/bin/busybox", "ls", "/built"]' >"$lab/context/Containerfile"
for tool in podman buildah; do
    words=$("$tool" build --network none --tag "built-by-$tool" "$lab/context" 2>&1) || words="status $?: $words"
    matches "$tool builds an image while every container is jailed" "built-by-$tool" "$words"
    equal "the image that $tool built runs in a jail" '/built' "$(podman run --rm "built-by-$tool" 2>&1)"
    equal "the image that $tool built is in a jail" 'EPERM' "$(podman run --rm "built-by-$tool" /bin/probe tcp $host_v4 $port 2>&1)"
done
rm /etc/containers/containers.conf.d/60-always.conf
finish
