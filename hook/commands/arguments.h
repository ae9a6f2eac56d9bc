// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The administrator's settings, as flags of a verb in hooks.d or a unit: --block-host=MODE --allow=… --also=… --dns=… --on-failure=…
// --accept=… and --enforce.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

// Reads what follows the verb. A value may be a word of its own. Errors: EX_USAGE.
Result<Defaults> parse_arguments(std::span<char* const> arguments);

}  // namespace jail_ai
