// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A line for each denial, for people and for machines. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bpf/abi.h"
#include "container/request.h"

namespace jail_ai {

// One denial, or several of the same destination of which `event` is the last.
struct LogEntry {
    std::uint64_t real;  // of the (last) denial, ns of CLOCK_REALTIME
    std::string_view container;
    std::string_view name;  // empty if unknown
    Mode mode;
    jail_event event;
    std::uint64_t count = 1;
};

// Without a newline: "denied 10.88.0.1:5432/tcp (local) to 'psql', process 42"; in audit mode
// "would have denied …".
std::string denial_sentence(const LogEntry& entry);

std::string log_to_people(const LogEntry& entry);    // a line with its end
std::string log_to_machines(const LogEntry& entry);  // one JSON object and a newline

}  // namespace jail_ai
