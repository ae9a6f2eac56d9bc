// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A /dev of the suite's own, in the suite's own mount namespace: the few devices a program needs, a
// log socket that the tests read, and room for bundles. It goes with the namespace.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace jail_ai::test {

class PrivateDev {
public:
    PrivateDev();  // the caller's mount namespace must be private

    // A fresh directory below /dev.
    std::string make_directory();
    // What the process has written to syslog, one string a message, as it went over the socket:
    // <PRIORITY>DATE TAG[PID]: TEXT.
    std::vector<std::string> take_log(pid_t pid);
    void drain_log();  // the kernel holds ten messages, and gives the next sender EAGAIN

private:
    UniqueFd log_;
    std::vector<std::string> messages_;
    int last_ = 0;
};

}  // namespace jail_ai::test
