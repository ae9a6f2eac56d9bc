// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Closes abstract Unix sockets where there is no guard to tell the container's own from others': the programs of bpf/abstract.bpf.c.
#pragma once

#include <vector>

#include "base/result.h"
#include "container/request.h"
#include "jail/attachment.h"
#include "jail/loading.h"

namespace jail_ai {

// As load_guard(), for a kernel that kernel_has_unix_hooks().
Result<std::vector<LoadedProgram>> load_abstract(Mode mode, const RecordMaps& record);

}  // namespace jail_ai
