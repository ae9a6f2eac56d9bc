// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Containers that were rejected, as the log of the machine has them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/logged_line.h"

namespace jail_ai {

// main() puts it before what a hook reports when it fails.
inline constexpr std::string_view kRejected = "rejected: ";

struct Rejection {
    std::string time;  // as of the line
    LoggedContainer container;
    std::string reason;        // CAUSE: FIX
    bool started = false;      // it wasn't rejected, as on-failure=run asked, and is unprotected
    std::optional<uid_t> uid;  // of the process that wrote it, by the journal
};

std::vector<Rejection> rejections(const std::vector<LoggedLine>& lines);

std::string rejection_to_people(const Rejection& rejection);    // a line with its end
std::string rejection_to_machines(const Rejection& rejection);  // one JSON object and a newline

}  // namespace jail_ai
