// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/stop.h"

#include <csignal>
#include <initializer_list>

namespace jail_ai {
namespace {

volatile std::sig_atomic_t requested = 0;

}  // namespace

void listen_for_stop() {
    struct sigaction action {};
    action.sa_handler = [](int) { requested = 1; };
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

bool stop_requested() {
    return requested != 0;
}

}  // namespace jail_ai
