#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What `dpkg --install` alone has made of the machine: root's containers and an ordinary user's are jailed, with no further step. Afterwards the broker's
# socket is disabled, for the themes that enable it as people do who have no package.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck source=whole.sh
. "$(dirname "$0")/whole.sh"

files=/home/$user/package
mkdir "$files"
cp -a "$lab/rootfs" "$files/rootfs"
chown -R "$user:$user" "$files"
slow=30000 # milliseconds
tries=(tcp "$host_second_v4" "$port" "$slow" -- tcp "$internet_v4" "$port" "$slow")
last_words() { awk 'NF { print $NF }' | paste -sd ' '; }

matches 'the package is installed' '^ii +[0-9]' "$(dpkg-query --show --showformat='${db:Status-Abbrev} ${Version}' jail-ai-hook)"
# The image leaves out documents, whichever package's.
equal 'dpkg finds each of its files unchanged' '' "$(dpkg --verify jail-ai-hook | grep -vE ' /usr/share/(doc|man)/' | paste -sd ' ')"
equal "the broker's socket is enabled, and listens" 'enabled active' "$(systemctl is-enabled jail-ai-hook.socket) $(systemctl is-active jail-ai-hook.socket)"
for runtime in crun runc; do
    equal "root's container, $runtime: reaches the host where it asks for nothing" 'reached reached' "$(engine "$runtime" run --rm --rootfs "$files/rootfs" /probe "${tries[@]}" 2>&1 | last_words)"
    equal "root's container, $runtime: is jailed" 'EPERM reached' "$(engine "$runtime" run --rm "${jailed[@]}" --rootfs "$files/rootfs" /probe "${tries[@]}" 2>&1 | last_words)"
    equal "a user's container, $runtime: reaches the host where it asks for nothing" 'reached reached' \
        "$(login podman --log-level error --runtime "$runtime" run --rm --rootfs "$files/rootfs" /probe "${tries[@]}" 2>&1 | last_words)"
    equal "a user's container, $runtime: is jailed" 'EPERM reached' \
        "$(login podman --log-level error --runtime "$runtime" run --rm "${jailed[@]}" --rootfs "$files/rootfs" /probe "${tries[@]}" 2>&1 | last_words)"
done
equal 'no unit has failed' '' "$(systemctl list-units --all --plain --no-legend --state failed 'jail-ai-hook*')"
systemctl --quiet disable --now jail-ai-hook.socket
rm -r "$files"
finish
