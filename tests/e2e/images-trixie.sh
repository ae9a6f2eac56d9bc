#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme images with the podman of Debian 13, which gives containers nothing of their image: $trixie_tree, see run. An ordinary
# user's, because root's images are gone with each process in that release's tree.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=images.sh
. "$lib/images.sh"
# shellcheck source=portable.sh
. "$lib/portable.sh"
# shellcheck disable=SC2034 # for rootless.sh
hooks=$portable/hooks.d
# shellcheck source=rootless.sh
. "$lib/rootless.sh"
# shellcheck disable=SC2034 # for rootless.sh
in_tree=("$lib/in-tree" "$trixie_tree")

images_podman() {
    as "$user" env TMPDIR=/tmp podman --log-level error "$@"
}

# shellcheck disable=SC2034 # for images.sh: the first is the container's own, under pasta
image_target=$host_second_v4
rootless_up
make_images
number=$(as "$user" podman --version | awk '{ print $3 }')
for runtime in crun runc; do
    check_images "podman $number, rootless, $runtime" keeps
    check_others "podman $number, rootless, $runtime" keeps
done
finish
