// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which directories podman takes hooks from (containers.conf(5), hooks_dir), and what a JSON in one of them is (oci-hooks(5)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

inline constexpr std::string_view kDefaultHooksDir = "/usr/share/containers/oci/hooks.d";

// What one settings file says under [engine]; nothing where it doesn't. Reads as much TOML as such a list takes: strings in one or two kinds of
// quotes, over several lines, comments.
std::optional<std::vector<std::string>> hooks_dirs_of(std::string_view containers_conf);

struct HookJson {
    std::string path;  // of the executable
    std::vector<std::string> stages;
    bool is_ours;  // by the name of the executable or of argument 0
};

// Errors (EX_DATAERR): not such a file, for which podman and CRI-O start no container at all.
Result<HookJson> parse_hook_json(std::string_view text);

}  // namespace jail_ai
