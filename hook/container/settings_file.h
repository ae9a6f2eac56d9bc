// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The administrator's settings for the whole machine, a TOML file:
//
//   block-host = true            # a boolean, or "audit"
//   allow = ["host:11434"]       # a list of strings, or one string as in an annotation
//   enforce = true
//
// The keys are the names of the settings (jail-ai-hook(5)).
#pragma once

#include <string_view>

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

inline constexpr const char* kSettingsFile = "/etc/jail-ai-hook.conf";
inline constexpr std::size_t kMaxSettingsBytes = 65536;

// Errors (EX_CONFIG): not TOML, and whatever parse_flags() says of the same settings; "line N: KEY:
// …", unless it is about several.
Result<Defaults> parse_settings_file(std::string_view toml);

}  // namespace jail_ai
