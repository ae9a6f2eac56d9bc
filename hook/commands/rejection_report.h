// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Containers that were rejected, as the log of the machine has them. Pure.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

// main() puts it before what a hook reports when it fails.
inline constexpr std::string_view kRejected = "rejected: ";

struct Rejection {
    std::string time;          // UTC from the journal; from a file as it has it
    std::string container;     // the beginning of the ID, as the message has it; empty if unknown
    std::string name;          // empty if unknown
    std::string reason;        // CAUSE: FIX
    bool started = false;      // it wasn't rejected, as on-failure=run asked, and is unprotected
    std::optional<uid_t> uid;  // of the process that wrote it, by the journal
};

// What `journalctl --output=json` prints: one object a line, in its order. A line that is
// none is passed over.
std::vector<Rejection> rejections_of_journal(std::string_view text);

// Lines of a file that a syslog daemon writes: "TIME HOST jail-ai-hook[PID]: MESSAGE", with a time
// as in RFC 3339 or RFC 3164.
std::vector<Rejection> rejections_of_syslog(std::string_view text);

// Is the container meant by its ID, the beginning of that, or its name?
bool is_meant(const Rejection& rejection, std::string_view word);

std::string rejection_to_people(const Rejection& rejection);    // a line with its end
std::string rejection_to_machines(const Rejection& rejection);  // one JSON object and a newline

}  // namespace jail_ai
