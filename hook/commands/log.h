// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "log": what was refused, remembered or as it happens.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace jail_ai {

// Gives false when nobody takes the text any more.
using Print = std::function<bool(std::string_view text)>;
using Warn = std::function<void(std::string_view line)>;

// Words: --follow, --json, and containers as containers_meant.h has them. With --follow it goes on until it is asked to stop. `warn` is told what was
// lost. Errors: EX_USAGE; EX_NOPERM for anybody but root; EX_NOINPUT for a container that has no jail (with --follow it may get one later);
// EX_TEMPFAIL where another process follows; EX_OSERR.
Status log(std::span<char* const> words, const Print& print, const Warn& warn);

}  // namespace jail_ai
