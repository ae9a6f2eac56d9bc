// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who really received what. Each network namespace of the laboratory has a process that listens for
// UDP and TCP on every address and reports the token that each datagram or connection carries: an
// errno alone can't tell a block from a dead network, an arrival can.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "base/unique_fd.h"
#include "netns.h"

namespace jail_ai::test {

inline constexpr std::uint16_t kPort = 7000;   // some service
inline constexpr std::uint16_t kDnsPort = 53;  // a resolver

enum class Place : std::uint8_t { nowhere, host, container, internet };

using Token = std::uint64_t;
Token fresh_token();

class Witness {
public:
    Witness();
    ~Witness();
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

    // Listens in the namespace from the moment it returns, also to the groups 224.0.0.251 and
    // ff02::fb on the interface.
    void listen(Place place, const NetworkNamespace& where, unsigned multicast_interface);
    // Waits a while for the token to arrive at the place. Returns the place, or where else it has
    // arrived, or nowhere. (Broadcasts and multicasts also arrive where they come from.)
    Place await(Token token, Place place,
                std::chrono::milliseconds patience = std::chrono::seconds(30));
    // Whether it has arrived anywhere by now. Meaningful after a later token on the same way has
    // arrived.
    bool has_seen(Token token);

private:
    void read_reports(int timeout_ms);

    UniqueFd reports_;
    UniqueFd reporting_;
    std::vector<pid_t> listeners_;
    std::multimap<Token, Place> seen_;
};

}  // namespace jail_ai::test
