#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The theme notice for containers of an ordinary user.
# shellcheck source-path=SCRIPTDIR/../lib
set -eu
# shellcheck source=containers.sh
. "$(dirname "$0")/../lib/containers.sh"
# shellcheck source=syslog.sh
. "$lib/syslog.sh"
# shellcheck source=rootless.sh
. "$lib/rootless.sh"
# shellcheck source=notice.sh
. "$lib/notice.sh"

rootless_up
runtime=crun version="rootless $version"
check --cgroups=split
gets "$version, keep-id" 'More: ' --cgroups=split --userns=keep-id
finish
