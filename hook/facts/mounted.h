// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is mounted in a container, by the kernel's own list and by what lies there. The paths that
// config.json names may lead elsewhere by now: anyone who has a say in a directory on the way can
// exchange it after the runtime has mounted it.
#pragma once

#include <vector>

#include "base/result.h"
#include "container/bundle.h"
#include "policy/risks.h"
#include "system/process.h"

namespace jail_ai {

// Which sockets of engines count: also those that engines would make once they run, or those alone
// that are there.
enum class Sockets { any, existing };

// Has a runtime mounted anything for the process, at `root` or beside the caller's mounts?
Result<bool> has_mounts_of_its_own(const Process& process, const std::string& root);

// The mounts that could be a risk. `root`: where the container's root is mounted, "/" once the
// process is in it. Before that, all is looked at that the process's mount namespace has and the
// caller's, from which the runtime made it, has not. Needs PTRACE_MODE_READ access. Errors:
// EX_CONFIG if nothing is mounted at `root`, EX_TEMPFAIL if mounts don't keep still,
// EX_OSERR.
Result<std::vector<SeenMount>> read_mounted(const Process& process, const Bundle& bundle,
                                            const std::string& root, Sockets expected);

}  // namespace jail_ai
