// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The policy of one jail: what the host is, seen from one container, compiled into the rules that
// the programs look up.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ip_prefix.h"
#include "base/result.h"
#include "container/request.h"
#include "policy/facts.h"

namespace jail_ai {

struct Rule {
    jail_rule value;
    std::string source;  // where the rule comes from, for people
};

// Rules by prefix; the longest prefix that holds a destination decides. At most JAIL_MAX_RULES.
using Rules = std::map<IpPrefix, Rule>;

struct Policy {
    Rules rules;
    Mode mode;
    DenialError denial_error;
    bool shares_network;                          // as in NetworkFacts
    std::vector<std::string> unused_allow_rules;  // allow rules without effect, for the log
};

// Compiles the request and the host's facts into rules. A destination is denied if a prefix to deny
// holds it, and allowed if an allow rule holds it, its port and its
// protocol; the compiled rules say the same by their longest prefix alone. Errors: EX_UNAVAILABLE
// when there are more rules than a jail holds, EX_DATAERR when a rule would need more than
// JAIL_MAX_PORTS port ranges.
Result<Policy> compile_policy(const Request& request, const NetworkFacts& host);

// The rule that decides about a single address, or about those of a prefix that no narrower one
// holds, or nullptr; also with its prefix.
const Rules::value_type* find_entry(const Rules& rules, const IpPrefix& address);
const Rule* find_rule(const Rules& rules, const IpPrefix& address);

}  // namespace jail_ai
