// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The policy of one jail: what the host is, seen from one container, compiled into the rules that the programs look up.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/request.h"
#include "policy/ip_prefix.h"

namespace jail_ai {

// An address or prefix that the kernel delivers locally in the engine's network namespace.
struct LocalRoute {
    IpPrefix prefix;
    jail_reason reason;  // JAIL_REASON_LOCAL or JAIL_REASON_BROADCAST
    std::string device;  // may be empty
};

// What the operating system says about the host and the container.
struct HostView {
    std::vector<LocalRoute> routes;
    bool shares_network;                 // the container is in the engine's network namespace
    std::vector<IpPrefix> named;         // what the container's hosts file calls the host
    std::vector<IpPrefix> name_servers;  // the container's resolvers
};

struct Rule {
    jail_rule value;
    std::string source;  // where the rule comes from, for people
};

// Rules by prefix; the longest prefix that holds a destination decides. At most JAIL_MAX_RULES.
using Rules = std::map<IpPrefix, Rule>;

struct Policy {
    Rules rules;
    bool shares_network;  // as in HostView
};

// Error: EX_UNAVAILABLE when there are more rules than a jail holds.
Result<Policy> compile_policy(const Request& request, const HostView& host);

// The rule that decides about a single address, or nullptr.
const Rule* find_rule(const Rules& rules, const IpPrefix& address);

}  // namespace jail_ai
