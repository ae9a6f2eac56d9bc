// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Ending on request, for verbs that go on until a signal stops them (SIGTERM, SIGINT, SIGHUP).
#pragma once

namespace jail_ai {

// From now on these signals interrupt the system call that waits, and set the mark, in place of
// ending the process.
void listen_for_stop();

bool stop_requested();

}  // namespace jail_ai
