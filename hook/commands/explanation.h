// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What "explain" has found out, and how it is printed for people and for machines.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/explain_arguments.h"
#include "jail/snapshot.h"
#include "policy/policy.h"

namespace jail_ai {

struct Explanation {
    // "container 'ID'", "process 17", "a container with a network of its own".
    std::string container;
    std::optional<AskedDestination> destination;
    Policy policy;                         // as it would be compiled now
    bool is_running;                       // a jail was looked for
    std::optional<JailSnapshot> jail;      // that is attached now, with its policy
    std::vector<std::string> differences;  // of that from the policy that would be compiled now,
                                           // each a line without its end
    std::string id = {};                   // of the container, where it has one
};

// How two sets of rules differ in what becomes of destinations: "+ PREFIX: …" is only in `to`, "-
// PREFIX: …" only in `from`, "~ PREFIX: …" in both and not alike. What a wider rule of the other
// set decides alike, but for the reason, is left out.
std::vector<std::string> find_differences(const Rules& from, const Rules& to);

std::string explain_to_people(const Explanation& explanation);
std::string explain_to_machines(const Explanation& explanation);  // one JSON object and a newline

}  // namespace jail_ai
