// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The yardstick of watch: a process that does nothing but wait for the kernel to tell of an
// address, by the same rtnetlink group.
#pragma once

#include <chrono>

#include "base/unique_fd.h"
#include "netns.h"

namespace jail_ai::bench {

class AddressListener {
public:
    explicit AddressListener(const test::NetworkNamespace& network);
    ~AddressListener();
    AddressListener(const AddressListener&) = delete;
    AddressListener& operator=(const AddressListener&) = delete;

    // When it heard of the next new address. Waits for that, a few seconds at most.
    std::chrono::steady_clock::time_point heard();

private:
    pid_t pid_;
    UniqueFd from_;
};

}  // namespace jail_ai::bench
