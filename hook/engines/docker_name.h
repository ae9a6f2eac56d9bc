// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What Docker calls a container. It has no monitor, and keeps the name in config.v2.json, in the
// directory from which it mounts the container's hosts file.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "engines/bundle_files.h"
#include "engines/running_container.h"

namespace jail_ai {

// Empty if it isn't Docker's, `owner` does not own that file, or the files did not come from a
// bundle: the broker opens no path that a user names.
std::string docker_name(const BundleFiles& files, std::string_view id, uid_t owner);

// The same of a container that runs. Of root's and of the caller's own alone.
std::string docker_name(const RunningContainer& container);

}  // namespace jail_ai
