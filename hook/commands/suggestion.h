// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From what a jail has denied, the annotations that would allow exactly that. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "jail/snapshot.h"
#include "policy/inputs.h"

namespace jail_ai {

// An item of the list "allow", for one address and one or more ports in a row.
struct SuggestedItem {
    std::string text;  // "10.88.0.1:5432", "[fd00::1]:53-54/udp"
    jail_reason reason;
    std::uint64_t count;  // of its denials
    std::string comm;     // the last process that was denied there; empty if unknown
};

// What was denied, and is not suggested.
struct LeftDenied {
    std::string what;
    std::string why;
    std::uint64_t count;
};

struct Suggestion {
    std::string container;  // the runtime's id
    std::string name;       // empty if unknown
    Mode mode = Mode::enforce;
    std::vector<SuggestedItem> items;
    std::vector<LeftDenied> left;
    std::string allow;  // the annotation's whole value, with what is allowed already; empty without
                        // items
};

// `inputs`: of the jail's policy, with the host's routes. What that allows by now is passed over.
// Errors: as compile_policy(), if a rule would need more ranges of ports than it holds.
Result<Suggestion> suggest(const JailSnapshot& jail, const PolicyInputs& inputs);

std::string suggestions_to_people(const std::vector<Suggestion>& suggestions);
std::string suggestions_to_machines(
    const std::vector<Suggestion>& suggestions);  // a JSON array and a newline

}  // namespace jail_ai
