// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A /dev of the suite's own, in the suite's own mount namespace: the few devices a program needs, a log socket that the tests read, and
// room for bundles. It goes with the namespace.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace jail_ai::test {

class PrivateDev {
public:
    PrivateDev();  // the caller's mount namespace must be private

    // A fresh directory below /dev.
    std::string make_directory();
    // What was written to syslog since the last call, one string a message, as it went over the socket: <PRIORITY>DATE TAG: TEXT.
    std::vector<std::string> read_log();

private:
    UniqueFd log_;
    int last_ = 0;
};

}  // namespace jail_ai::test
