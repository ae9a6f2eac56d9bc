// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The option by which engines call the hook for every container of a machine, so that the
// administrator's settings decide for those that ask for nothing.
#pragma once

#include <string_view>

#include "commands/arguments.h"
#include "commands/verb.h"
#include "container/asking.h"

namespace jail_ai {

inline constexpr Option kIfAsked = {"--if-asked", "",
                                    "leave a container alone if neither it nor a default asks"};

inline bool leaves_unasked_alone(const Arguments& arguments) {
    return arguments.has(kIfAsked.name) && !jails_unasked(arguments.defaults);
}

// Whether the container with this state or config.json is to be left alone. The bytes are looked at
// and not parsed: most containers ask for nothing, and they must start whatever goes wrong in the
// confinement of this process or in a parser.
inline bool is_left_alone(const Arguments& arguments, std::string_view json) {
    return leaves_unasked_alone(arguments) && !may_ask(json);
}

// The same for one that mentions the hook's name, perhaps elsewhere.
inline bool is_left_alone(const Arguments& arguments, const rapidjson::Value& document) {
    return leaves_unasked_alone(arguments) && !asks_something(document);
}

}  // namespace jail_ai
