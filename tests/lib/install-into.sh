# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# To be sourced after containers.sh.

: "${build:?the build directory}" "${lab:?}"

# install_into DIRECTORY: this build, and what it is linked to, where another Debian's files are
install_into() {
    local library
    DESTDIR=$1 meson install -C "$build" --no-rebuild --quiet >"$lab/installed"
    while read -r library; do
        [ -e "$1$library" ] || cp "$library" "$1/usr/lib/${library#/lib/}"
    done < <(ldd "$build/hook/jail-ai-hook" | awk '$2 == "=>" { print $3 }')
}

# iptables_into DIRECTORY: the names that its package's scripts would have made
iptables_into() {
    local name
    for name in iptables ip6tables; do
        ln -sf xtables-nft-multi "$1/usr/sbin/$name"
        ln -sf xtables-nft-multi "$1/usr/sbin/$name-save"
        ln -sf xtables-nft-multi "$1/usr/sbin/$name-restore"
    done
}
