// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// An address of the laboratory's host that comes and goes.
#pragma once

#include <string>

#include "container.h"
#include "netlink.h"

namespace jail_ai::test {

// The host has it for as long as this lives.
class HostAddress {
public:
    explicit HostAddress(std::string prefix) : prefix_(std::move(prefix)) {
        const Visit visit(Laboratory::get().network.host);
        Netlink().add_address("host1", prefix_);
    }
    ~HostAddress() {
        const Visit visit(Laboratory::get().network.host);
        Netlink().remove_address("host1", prefix_);
    }
    HostAddress(const HostAddress&) = delete;
    HostAddress& operator=(const HostAddress&) = delete;

private:
    std::string prefix_;
};

}  // namespace jail_ai::test
