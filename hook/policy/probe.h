// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the probe of a jail is to try, by the jail's own rules, and what its outcome says. Pure;
// jail/acting.h carries it out.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "policy/policy.h"
#include "policy/risks.h"

namespace jail_ai {

struct ProbeTarget {
    IpPrefix address;
    std::uint16_t port;
};

template <typename T>
using PerLine = std::array<T, JAIL_LINE_COUNT>;  // by enum jail_line

struct ProbePlan {
    PerLine<std::optional<ProbeTarget>>
        targets;  // nothing if the line isn't tried, and for those of the guard
    bool guard = false;
    bool unix_hooks = false;
    Mode mode = Mode::enforce;
    int denied_by = EPERM;  // errno of connect and sendto, where the address is denied

    bool tries(jail_line line) const;
};

// At most one datagram is sent to each address, over the loopback device. No machine has the
// addresses: only convention gives them a meaning. A line is left out if the rules give it nothing
// to deny: all UDP ports at all such addresses of a family are open, or (egress) none at any
// address.
ProbePlan plan_probe(const Policy& policy, Guard guard);

// What became of a try.
struct ProbeTry {
    int error = 0;             // errno, 0 for what went through
    bool had_socket = true;    // false: this machine has no sockets of that family
    std::uint64_t denied = 0;  // by our program
};

// Does every line act? Error: EX_UNAVAILABLE, naming one that doesn't.
Status check_probe(const ProbePlan& plan, const PerLine<ProbeTry>& tries);

}  // namespace jail_ai
