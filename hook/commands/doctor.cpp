// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/doctor.h"

#include <fmt/format.h>

#include "base/quote.h"

namespace jail_ai {

Result<Diagnosis> diagnose(std::span<char* const> arguments, const Surroundings& surroundings, bool coloured) {
    bool json = false;
    for (const std::string_view word : arguments) {
        if (word != "--json") return Error{EX_USAGE, fmt::format("unexpected {}: jail-ai-hook doctor [--json]", quote(word))};
        json = true;
    }
    const std::vector<Finding> findings = judge_machine(look_at_machine(surroundings));
    return Diagnosis{json ? render_json(findings) : render_text(findings, coloured), block_works(findings) ? EX_OK : EX_UNAVAILABLE};
}

}  // namespace jail_ai
