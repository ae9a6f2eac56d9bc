# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# What everything of a release has in common, to be sourced with $here, packaging's directory.

# shellcheck disable=SC2034,SC2154 # of those who source it
version=$(sed -n "s/^  version : '\(.*\)',/\1/p" "$here/../meson.build")
: "${SOURCE_DATE_EPOCH:=$(date --date="$(sed -n 's/^ -- .*>  //p' "$here/debian/changelog" | head -n 1)" +%s)}"
export SOURCE_DATE_EPOCH

# pack WHERE NAME DIRECTORY: WHERE/NAME as DIRECTORY/NAME.tar.xz, by nothing but its files
pack() {
    tar -C "$1" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=go+rX,go-w -c "$2" | xz --threads=1 >"$3/$2.tar.xz"
}
