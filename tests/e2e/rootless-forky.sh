#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme rootless-trixie with those of the newest Debian release: $forky_tree, see run.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck disable=SC2034 # for portable.sh
engine_tree=${forky_tree-}
# shellcheck source=rootless-trixie.sh
. "$(dirname "$0")/rootless-trixie.sh"
