// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See report.h.
#include "base/report.h"

#include <fmt/format.h>
#include <unistd.h>

namespace jail_ai {

void report(int priority, std::string_view line) {
    ::openlog("jail-ai-hook", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    ::syslog(priority, "%.*s", static_cast<int>(line.size()), line.data());
    ::closelog();
    if (priority > LOG_WARNING) return;
    const std::string text = fmt::format("jail-ai-hook: {}\n", line);
    // One write, so that lines of several hooks don't mix; a reader that has gone is no reason to fail.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace jail_ai
