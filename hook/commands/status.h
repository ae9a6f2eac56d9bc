// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "status": every jail on this machine, or those of some containers.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace jail_ai {

// Words: --json or --prometheus, and containers as containers_meant.h has them. Errors: EX_USAGE; EX_NOINPUT for a container that has no jail;
// EX_NOPERM for anybody but root.
Result<std::string> status(std::span<char* const> words);

}  // namespace jail_ai
