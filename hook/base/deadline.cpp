// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/deadline.h"

#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <string_view>

namespace jail_ai {
namespace {

volatile std::sig_atomic_t passed = 0;

extern "C" void on_alarm(int /*signal*/) {
    constexpr std::string_view kLine =
        "jail-ai-hook: still not done 1 s after the deadline, container rejected\n";
    if (passed != 0) {
        [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
        ::_exit(EX_TEMPFAIL);
    }
    passed = 1;
    ::alarm(1);
}

}  // namespace

void start_deadline(unsigned seconds) {
    struct sigaction action {};
    action.sa_handler = on_alarm;  // without SA_RESTART: what waits is to be interrupted
    ::sigaction(SIGALRM, &action, nullptr);
    ::alarm(seconds);
}

void end_deadline() {
    ::alarm(0);
}

bool kill_after(unsigned seconds) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    timer_t timer{};
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return false;
    itimerspec when{};
    when.it_value.tv_sec = seconds;
    return ::timer_settime(timer, 0, &when, nullptr) == 0;
}

bool deadline_passed() {
    return passed != 0;
}

}  // namespace jail_ai
