// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Connection tracking in a network namespace, as a rule of nftables brings it about: it puts
// fragments together.
#pragma once

#include "base/unique_fd.h"
#include "netns.h"

namespace jail_ai::test {

class ConnectionTracking {
public:
    explicit ConnectionTracking(const NetworkNamespace& where);
    ~ConnectionTracking();
    ConnectionTracking(const ConnectionTracking&) = delete;
    ConnectionTracking& operator=(const ConnectionTracking&) = delete;

    int error() const { return error_; }  // ENOENT and the like where this kernel has no nftables

private:
    UniqueFd socket_;
    int error_ = 0;
};

}  // namespace jail_ai::test
