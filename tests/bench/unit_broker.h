// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The broker that accepts, started as systemd starts it for the socket: with what its service says
// of limits and privileges. In the laboratory's host.
#pragma once

#include <sys/types.h>

#include <string>

#include "test_cgroup.h"

namespace jail_ai::bench {

class UnitBroker {
public:
    // In that cgroup, where what it starts is as well.
    explicit UnitBroker(const test::TestCgroup& cgroup);
    ~UnitBroker();
    UnitBroker(const UnitBroker&) = delete;
    UnitBroker& operator=(const UnitBroker&) = delete;

    const std::string& socket() const { return socket_; }
    // Returns once no request is left. A client has its answer before that.
    void await_rest() const;

private:
    std::string socket_;
    pid_t pid_;
};

}  // namespace jail_ai::bench
