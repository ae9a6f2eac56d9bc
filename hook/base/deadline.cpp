// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/deadline.h"

#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <string_view>

#include "base/report.h"

namespace jail_ai {
namespace {

// After the deadline: for undoing, and for what a signal doesn't end. Hooks have 10 s (hooks.d).
constexpr unsigned kUndoSeconds = 1;
constexpr long kUntilKillNanoseconds = 500'000'000;

volatile std::sig_atomic_t passed = 0;
timer_t kill_timer{};

extern "C" void on_alarm(int /*signal*/) {
    constexpr std::string_view kLine = "jail-ai-hook: still not done 1 s after the deadline\n";
    if (passed != 0) {
        write_if_ready(STDERR_FILENO, kLine);
        ::_exit(EX_TEMPFAIL);
    }
    passed = 1;
    ::alarm(kUndoSeconds);
}

bool kill_after(time_t seconds, long nanoseconds) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    if (::timer_create(CLOCK_MONOTONIC, &event, &kill_timer) != 0) return false;
    itimerspec when{};
    when.it_value.tv_sec = seconds;
    when.it_value.tv_nsec = nanoseconds;
    return ::timer_settime(kill_timer, 0, &when, nullptr) == 0;
}

}  // namespace

bool start_deadline(unsigned seconds) {
    if (!kill_after(seconds + kUndoSeconds, kUntilKillNanoseconds)) return false;
    struct sigaction action {};
    action.sa_handler = on_alarm;  // without SA_RESTART: what waits is to be interrupted
    ::sigaction(SIGALRM, &action, nullptr);
    ::alarm(seconds);
    return true;
}

void end_deadline() {
    ::alarm(0);
    ::timer_delete(kill_timer);
}

bool deadline_passed() {
    return passed != 0;
}

}  // namespace jail_ai
