// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One line to the people who run the machine. It goes to syslog as well as to stderr, because crun
// throws a hook's output away.
#pragma once

#include <syslog.h>

#include <span>
#include <string_view>

#include "base/journal_entry.h"

namespace jail_ai {

// Connects to syslog, and to the journal if that is what takes syslog's lines here (/dev/log leads
// there), now rather than with the first line, and reads the time zone, for a process
// that is about to lose the right to. If no process listens, it is not tried again.
void open_report();

// Writes the text as far as that does not block. If its reader has stopped and the buffer is full,
// the rest is lost. For any descriptor, also one that others write to and that isn't ours to make
// non-blocking. May be called by a signal handler.
void write_if_ready(int fd, std::string_view text);

// Writes "jail-ai-hook: LINE", made printable (quote.h), to stderr, for LOG_WARNING and worse, and
// then to syslog with the priority (LOG_ERR …). Never fails, and never blocks; syslog(3) would,
// while its reader has stopped. A line that finds the buffer full is lost; the exit code remains.
// With fields it goes to the journal in place of syslog, if there is one, which keeps them.
void report(int priority, std::string_view line, std::span<const JournalField> fields = {});

}  // namespace jail_ai
