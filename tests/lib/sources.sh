# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# The project's files, to be sourced in the project's directory.

# sources PATTERN...: those that match, '*' for all; from git where this is a checkout (also another user's), else whatever is here.
sources() {
    local pattern patterns=()
    if [ -e .git ] && command -v git >/dev/null; then
        git -c "safe.directory=$PWD" ls-files --cached --others --exclude-standard "$@"
        return
    fi
    for pattern in "$@"; do patterns+=(-o -path "./$pattern"); done
    find . \( -path './build*' -o -path ./.git \) -prune -o -type f \( "${patterns[@]:1}" \) -printf '%P\n'
}
