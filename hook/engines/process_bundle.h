// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a config.json would say of a process that has none, by the process itself: for services, and
// containers whose bundle isn't known.
#pragma once

#include "base/result.h"
#include "engines/bundle_files.h"
#include "system/process.h"

namespace jail_ai {

// Capabilities are those that it has or may yet get (proc(5): CapInh to CapAmb, and CapBnd unless
// NoNewPrivs). It has no mounts: mountinfo has them. Errors: EX_OSERR, EX_NOINPUT.
Result<BundleFiles> files_of_process(const Process& process);

}  // namespace jail_ai
