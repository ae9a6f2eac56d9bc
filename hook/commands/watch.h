// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "watch": refreshes every jail when the host's addresses change. The block doesn't depend on it.
#pragma once

#include <functional>
#include <span>

#include "base/result.h"
#include "commands/line.h"

namespace jail_ai {

// Words: --log, with which refusals are handed on, too. Goes on until it is asked to stop. Errors: EX_USAGE; EX_NOPERM for anybody but root;
// EX_TEMPFAIL where another process takes the events; EX_OSERR.
Status watch(std::span<char* const> words, const std::function<void(const Line& line)>& tell);

}  // namespace jail_ai
