// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What this program has written to the log of the machine: the journal, or the file of a syslog
// daemon.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "commands/logged_line.h"

namespace jail_ai {

// As it was read: parsed when the process is confined.
struct MachineLog {
    std::string name;  // "the journal", or the file's path
    std::string text;
    bool is_journal = false;

    // The newest last.
    std::vector<LoggedLine> lines() const;
};

// `matches` choose entries of the journal, beside the program's name (journalctl(1)); of a file
// all lines are read. Runs journalctl, so that it is called before the process is confined. Errors:
// EX_UNAVAILABLE if the machine keeps no log, EX_NOPERM, EX_OSERR.
Result<MachineLog> read_machine_log(const std::vector<std::string>& matches);

}  // namespace jail_ai
