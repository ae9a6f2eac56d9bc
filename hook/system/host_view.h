// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who the host is, seen from one container.
#pragma once

#include "base/result.h"
#include "policy/policy.h"
#include "system/bundle_files.h"
#include "system/process.h"

namespace jail_ai {

// Reads the caller's network namespace, which is the engine's, the container's, and the files that name hosts and resolvers for it.
Result<HostView> read_host_view(const Process& process, const BundleFiles& files);

}  // namespace jail_ai
