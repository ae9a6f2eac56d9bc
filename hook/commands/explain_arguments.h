// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is asked of "explain". Pure.
#pragma once

#include <optional>
#include <string>

#include "base/ip_prefix.h"
#include "base/result.h"
#include "commands/arguments.h"
#include "container/request.h"

namespace jail_ai {

struct AskedDestination {
    IpPrefix address;
    std::uint8_t protocol;  // 0 if no port is asked for
    std::uint16_t port;     // likewise
    std::string text;       // "10.88.0.1:5432/tcp"
};

struct Question {
    std::optional<AskedDestination> destination;  // nothing: the whole policy
    Defaults defaults;
    Annotations annotations;
    std::optional<pid_t> pid;
    std::string container;
    bool json = false;
};

// "10.88.0.1", "10.88.0.1:53/udp", "[fd00::1]:80", "fd00::1"; tcp if only a port is said.
// Errors: EX_USAGE.
Result<AskedDestination> parse_asked_destination(std::string_view text);

inline constexpr Option kExplainOptions[] = {
    {"--container", "ID", "of a container that runs: ID, the beginning of it, or name",
     Use::one_of},
    {"--pid", "PID", "of what that process is in", Use::one_of},
    {"--annotation", "KEY=VALUE", "as if the container had that annotation, too", Use::many},
    {"--json", "", "for machines"},
};
inline constexpr Words kExplainWords = {"DESTINATION"};

// Reads them from parsed arguments. Errors: EX_USAGE.
Result<Question> read_question(const Arguments& arguments);

}  // namespace jail_ai
