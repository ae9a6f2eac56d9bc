// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A way for descriptors from one child to another: a Unix socket pair that both have inherited.
#pragma once

#include "base/unique_fd.h"

namespace jail_ai::test {

struct Received {
    int count;       // descriptors that came
    int last;        // the last of them, or -1; the others are closed again
    bool truncated;  // MSG_CTRUNC: one or more were kept back
};

class Channel {
public:
    Channel();  // before the children are made

    int near() const { return near_.get(); }
    int far() const { return far_.get(); }

private:
    UniqueFd near_, far_;
};

// For use in children. 0, or an errno.
int send_descriptors(int channel, const int* descriptors, int count);
// What one message brought; `flags` of recvmsg(2).
Received receive_descriptors(int channel, int flags = 0);

}  // namespace jail_ai::test
