// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who the host is, by the kernel's own account (rtnetlink(7)), in the caller's network namespace.
#pragma once

#include <vector>

#include "base/result.h"
#include "policy/facts.h"

namespace jail_ai {

// Every prefix that the kernel delivers to this host: routes of type local, anycast and broadcast
// in every table of both families, whether a rule leads there now or not, and every address on an
// interface, also if no route has it (not up yet, or in duplicate address detection). A few
// entries a network interface; may hold doubles. Errors: EX_OSERR.
Result<std::vector<LocalRoute>> read_local_routes();

}  // namespace jail_ai
