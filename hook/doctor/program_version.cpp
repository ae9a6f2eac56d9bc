// SPDX-License-Identifier: Apache-2.0 OR MIT
// What an installed program says of its version.
#include "doctor/probe.h"
#include "system/program.h"

namespace jail_ai {

std::optional<std::string> program_version(const std::string& name) {
    constexpr std::size_t kMost = 512;
    constexpr std::chrono::seconds kPatience{5};
    const std::string path = find_program(name);
    if (path.empty()) return std::nullopt;
    const auto said = output_of(path, {"--version"}, kMost, kPatience);
    if (!said) return "it doesn't start";
    const std::string line = said->substr(0, said->find('\n'));
    return line.empty() ? "it doesn't say its version" : line;
}

}  // namespace jail_ai
