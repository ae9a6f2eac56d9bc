// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A packet capture on every interface of the host's namespace: the ground truth of the suite.
#pragma once

#include <vector>

#include "base/unique_fd.h"
#include "frames.h"
#include "lab.h"

namespace escape {

class Capture {
public:
    explicit Capture(const Lab& lab);

    int fd() const { return fd_.get(); }
    // After Lab::renew_container(): the link has another index.
    void relearn(const Lab& lab);
    // Everything captured so far that came in (or was looped back), appended to `frames`. What goes
    // out from the host to ext is appended to `outgoing`. Gives up when the kernel dropped any.
    void drain(std::vector<Frame>& frames, std::vector<Frame>& outgoing);

private:
    Interface interface_of(int index) const;

    jail_ai::UniqueFd fd_;
    int container_link_ = 0, ext_link_ = 0;
};

}  // namespace escape
