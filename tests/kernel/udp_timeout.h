// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How long the laboratory's host remembers a UDP peer, changed for a while. The hook reads it when
// it makes a jail.
#pragma once

#include <unistd.h>

#include <string>

#include "container.h"
#include "files.h"

namespace jail_ai::test {

// The host's connection tracking, with the seconds after which it forgets a UDP peer.
class UdpTimeout {
public:
    explicit UdpTimeout(const char* seconds) {
        const Visit visit(Laboratory::get().network.host);
        if (::access(kPath, W_OK) != 0) return;
        was_ = read_file(kPath);
        write_file(kPath, seconds);
    }
    ~UdpTimeout() {
        const Visit visit(Laboratory::get().network.host);
        if (!was_.empty()) write_file(kPath, was_);
    }
    UdpTimeout(const UdpTimeout&) = delete;
    UdpTimeout& operator=(const UdpTimeout&) = delete;
    bool is_there() const { return !was_.empty(); }

private:
    static constexpr const char* kPath = "/proc/sys/net/netfilter/nf_conntrack_udp_timeout";
    std::string was_;
};

}  // namespace jail_ai::test
