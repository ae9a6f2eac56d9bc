// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Network namespaces held by a descriptor, and visits to them. The suite is a single thread, hence
// a visit is only setns(2) there and back.
#pragma once

#include <utility>

#include "base/unique_fd.h"

namespace jail_ai::test {

class NetworkNamespace {
public:
    NetworkNamespace();  // a fresh one, loopback up, IPv6 without duplicate address detection
    explicit NetworkNamespace(UniqueFd fd) : fd_(std::move(fd)) {}

    int fd() const { return fd_.get(); }

private:
    UniqueFd fd_;
};

// The thread is in the namespace as long as this lives.
class Visit {
public:
    explicit Visit(const NetworkNamespace& there) : Visit(there.fd()) {}
    explicit Visit(int netns_fd);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

private:
    UniqueFd home_;
};

}  // namespace jail_ai::test
