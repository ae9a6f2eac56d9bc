// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The programs run by BPF_PROG_TEST_RUN, and packets for them, byte by byte. A packet run like this
// comes from no socket, so that what only a TCP or UDP socket may send is denied.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "policy/policy.h"

struct jail_bpf;

namespace jail_ai::test {

using Bytes = std::vector<std::uint8_t>;

class Programs {
public:
    // In a shared network namespace any source is the container's own.
    explicit Programs(bool shares_network = false);

    // Takes away all rules and puts these in.
    void fill(const Rules& rules);

    // Runs jail_egress: does it let the packet pass?
    bool passes(const Bytes& packet, std::uint16_t ether_type);

    // The same, and what it counted: "pass", the reason that denied it, or what is odd.
    std::string evaluate(const Bytes& packet, std::uint16_t ether_type);

    // What it has denied, by enum jail_reason.
    std::vector<std::uint64_t> counts();

private:
    struct Deleter {
        void operator()(jail_bpf* skeleton) const;
    };

    std::unique_ptr<jail_bpf, Deleter> skeleton_;
};

void append(Bytes& to, const Bytes& more);

// IP headers without checksums, which nobody looks at.
Bytes v4(const IpPrefix& to, std::uint8_t protocol, const Bytes& payload, const Bytes& options = {},
         std::uint16_t fragment = 0, const char* from = "10.200.0.2");
Bytes v6(const IpPrefix& to, std::uint8_t next, const Bytes& payload,
         const char* from = "2001:db8:2::2");
Bytes udp(std::uint16_t port);
Bytes tcp(std::uint16_t port, std::uint8_t flags);

constexpr std::uint8_t kSyn = 0x02, kAck = 0x10, kRst = 0x04, kFin = 0x01;

}  // namespace jail_ai::test
