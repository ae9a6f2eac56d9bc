// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container has open to the host before it is jailed, for the routes that need `before`
// (routes/before.c).
#pragma once

#include <map>
#include <string>

#include "cage.h"
#include "lab.h"

namespace escape {

inline constexpr int earlier_socket =
    20;  // the number under which the route finds it; that of routes/route.h

class EarlierSockets {
public:
    // Made and connected now, by a process in the cgroup that is gone afterwards. One that does not
    // get through in this world is left out.
    EarlierSockets(const Lab& lab, const Cgroup& cgroup);

    // For one attempt; invalid if there is none. A stream would go on sending, and being denied,
    // for as long as somebody has it.
    jail_ai::UniqueFd take(const std::string& route);

private:
    jail_ai::UniqueFd stream_, datagrams_;  // of the host
    std::map<std::string, jail_ai::UniqueFd> sockets_;
};

}  // namespace escape
