// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a verb hands to main(), which alone prints and exits.
#pragma once

#include <sysexits.h>

#include <string>
#include <vector>

#include "base/journal_entry.h"

namespace jail_ai {

// For the log. If a person has called the verb, what isn't a failure is printed, too.
struct LogLine {
    int priority;  // LOG_INFO …, as syslog(3) has them
    std::string text;
    JournalFields fields{};  // what the journal keeps beside the text
};

using LogLines = std::vector<LogLine>;

struct Outcome {
    std::string text;  // for standard output
    LogLines lines;
    int exit_code = EX_OK;
};

}  // namespace jail_ai
