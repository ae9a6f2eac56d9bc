// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A line for each denial, for people and for machines. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/journal_entry.h"
#include "bpf/abi.h"
#include "container/request.h"
#include "jail/snapshot.h"

namespace jail_ai {

// One denial, or several of the same destination: `denial.seen` is of the last, and says how many.
struct LogEntry {
    std::uint64_t real;  // of the (last) denial, ns of CLOCK_REALTIME
    std::string_view container;
    std::string_view name;  // empty if unknown
    Mode mode;
    RecentDenial denial;
};

// Without a newline: "denied 10.88.0.1:5432/tcp (local) to 'psql', process 42"; in audit mode
// "would have denied …".
std::string denial_sentence(const LogEntry& entry);

// What the journal keeps of it beside the text: JAIL_AI_EVENT=denied, JAIL_AI_MODE, _CONTAINER,
// _NAME, _REASON, _DESTINATION, _PORT, _PROTOCOL, _PID, _COMM and _COUNT, as far as they are known.
JournalFields journal_fields(const LogEntry& entry);

// Of a jail that has gone with its container: what it has denied, in one line and in fields.
// JAIL_AI_EVENT is "ended", _COUNT the number of all denials; there is a _REASON for each that has
// denied, and a _DESTINATION for each that the text names.
std::string ended_sentence(const JailSnapshot& jail);
JournalFields journal_fields(const JailSnapshot& jail);

std::string log_to_people(const LogEntry& entry);    // a line with its end
std::string log_to_machines(const LogEntry& entry);  // one JSON object and a newline

}  // namespace jail_ai
