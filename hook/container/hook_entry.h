// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The hooks of a container, as its config.json lists them (OCI runtime-spec, config.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "container/config.h"

namespace jail_ai {

inline constexpr unsigned kHookTimeoutSeconds = 10;  // longer than a hook's own deadline

struct HookEntry {
    std::string path;
    std::vector<std::string> arguments;  // the first is the name that it is called by
};

// The text of a config.json that has this createRuntime hook, as the last of them; as it was if it
// has it already. Every other byte stays. Error: EX_DATAERR for hooks of another type.
Result<std::string> add_create_runtime_hook(const Config& config, const HookEntry& hook);

}  // namespace jail_ai
