// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What an installed program says of its version.
#pragma once

#include <optional>
#include <string>

namespace jail_ai {

// The first line that `NAME --version` prints within 5 s, or why there is none; nothing where the
// program is not in the usual directories.
std::optional<std::string> program_version(const std::string& name);

}  // namespace jail_ai
