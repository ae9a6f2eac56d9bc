// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The administrator's settings, as flags of a verb in hooks.d or a unit: --SETTING=VALUE and
// --enforce.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

// Reads words of the form "--NAME=VALUE", and "--enforce". Errors: EX_USAGE.
Result<Defaults> parse_flags(const std::vector<std::string>& words);

}  // namespace jail_ai
