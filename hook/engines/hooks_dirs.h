// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which directories podman takes hooks from (containers.conf(5), hooks_dir), and what a JSON in one
// of them is (oci-hooks(5)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace jail_ai {

inline constexpr std::string_view kDefaultHooksDir = "/usr/share/containers/oci/hooks.d";

// For which containers the engine calls a hook: those for which all of it holds.
struct HookWhen {
    std::optional<bool> always;
    // Regular expressions: some key and its value match, for each of the pairs.
    std::vector<std::pair<std::string, std::string>> annotations;
    bool is_known = true;  // false: written in the old form
    bool limited = false;  // to commands, or to containers with bind mounts
};

enum class CalledFor {
    all,           // containers of the engine
    all_that_ask,  // by annotations
    known_words,   // containers with jail-ai.block-host=true; a typo in key or value passes it by,
                   // and then no hook rejects it
    some,          // of those that ask: by their command or mounts
    none,
    unknown,  // the expressions aren't understood here
};

// Returns for which containers the hook is called; but for the first, of those with an annotation
// under jail-ai. Expressions are read as POSIX's extended ones, which engines' (Go's) are alike as
// far as such patterns go.
CalledFor called_for(const HookWhen& when);

struct HookJson {
    std::string path;  // of the executable
    std::vector<std::string> stages;
    bool is_ours;                    // by the name of the executable or of argument 0
    std::string verb;                // argument 1, or empty
    std::vector<std::string> flags;  // the arguments after that
    HookWhen when;
};

// Errors (EX_DATAERR): not such a file, for which podman and CRI-O start no container at all.
Result<HookJson> parse_hook_json(std::string_view text);

}  // namespace jail_ai
