// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Denials in words, for all verbs that report them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bpf/abi.h"
#include "container/json_writer.h"
#include "container/request.h"

namespace jail_ai {

// "10.88.0.1:5432/tcp", "socket of family 17, protocol 0", "bpf command 5" …
std::string denial_text(const jail_denial& what);

// What a jail in that mode did with what it counted.
constexpr std::string_view denied_by(Mode mode) {
    return mode == Mode::audit ? "would have denied" : "denied";
}

// For views of jails where there is none.
inline constexpr std::string_view kNoJail = "no container is jailed here\n";

std::string times_text(std::uint64_t count);  // "1 time", "2 times"

// The address, if what was denied is one; else nothing.
std::string destination_of(const jail_denial& what);

std::string protocol_text(std::uint8_t protocol);  // "tcp", "protocol 47"

// What a process calls itself, with whatever bytes it likes.
std::string comm_of(std::span<const std::uint8_t, JAIL_COMM_SIZE> comm);

// The members of an object that say what was denied, why, and to which process if that is
// known.
void put_denial(JsonWriter& writer, const jail_denial& what, std::uint32_t pid,
                std::span<const std::uint8_t, JAIL_COMM_SIZE> comm);

// Formats CLOCK_REALTIME in ns by RFC 3339 in UTC; to the millisecond or to the second.
std::string time_text(std::uint64_t real, bool milliseconds);

}  // namespace jail_ai
