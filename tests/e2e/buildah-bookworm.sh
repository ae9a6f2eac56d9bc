#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme buildah with that of Debian 12: $buildah_bookworm_tree, see run.
# shellcheck source-path=SCRIPTDIR
set -eu
# shellcheck disable=SC2034 # for buildah.sh
buildah_tree=${buildah_bookworm_tree-}
# shellcheck source=buildah.sh
. "$(dirname "$0")/buildah.sh"
