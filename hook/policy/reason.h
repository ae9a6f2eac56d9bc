// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The reasons for which something is denied, as people read them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/named.h"
#include "bpf/abi.h"

namespace jail_ai {

struct ReasonRow {
    jail_reason value;
    std::string_view name;
    // What was denied, if that is not an address: a format with the fields of jail_denial that
    // hold a number, and `file` for the kind of file.
    std::string_view denied;
};

inline constexpr std::array kReasons = std::to_array<ReasonRow>({
    {JAIL_REASON_LOCAL, "local", ""},
    {JAIL_REASON_BROADCAST, "broadcast", ""},
    {JAIL_REASON_ALIAS, "alias", ""},
    {JAIL_REASON_HOSTS_FILE, "hosts-file", ""},
    {JAIL_REASON_LOOPBACK, "loopback", ""},
    {JAIL_REASON_UNSPECIFIED, "unspecified", ""},
    {JAIL_REASON_MULTICAST, "multicast", ""},
    {JAIL_REASON_LINK_LOCAL, "link-local", ""},
    {JAIL_REASON_METADATA, "metadata", ""},
    {JAIL_REASON_POLICY, "policy", ""},
    {JAIL_REASON_MALFORMED_PACKET, "malformed-packet", ""},
    {JAIL_REASON_FAMILY, "family", "socket of family {port}, protocol {protocol}"},
    {JAIL_REASON_INHERITED_SOCKET, "inherited-socket", "a socket handed in"},
    {JAIL_REASON_INHERITED_FILE, "inherited-file", "{file} handed in"},
    {JAIL_REASON_ABSTRACT_UNIX, "abstract-unix", "an abstract Unix socket"},
    {JAIL_REASON_BPF, "bpf", "bpf command {port}"},
});
static_assert(names_each(kReasons, JAIL_REASON_COUNT - 1));

constexpr std::string_view reason_name(jail_reason reason) {
    return name_of(kReasons, reason);
}

// The number is the kernel's, and may be of another version of ours.
constexpr std::string_view reason_name(std::uint8_t number) {
    return reason_name(static_cast<jail_reason>(std::min<unsigned>(number, JAIL_REASON_COUNT)));
}

}  // namespace jail_ai
