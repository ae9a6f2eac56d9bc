// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Names of the reasons for which a destination is blocked, as people read them.
#pragma once

#include <string_view>

#include "../bpf/abi.h"

namespace jail_ai {

constexpr std::string_view reason_name(jail_reason reason) {
    switch (reason) {
        case JAIL_REASON_LOCAL: return "local";
        case JAIL_REASON_BROADCAST: return "broadcast";
        case JAIL_REASON_ALIAS: return "alias";
        case JAIL_REASON_NAMED: return "named";
        case JAIL_REASON_LOOPBACK: return "loopback";
        case JAIL_REASON_UNSPECIFIED: return "unspecified";
        case JAIL_REASON_MULTICAST: return "multicast";
        case JAIL_REASON_LINK_LOCAL: return "link-local";
        case JAIL_REASON_METADATA: return "metadata";
        case JAIL_REASON_ASKED: return "asked";
        case JAIL_REASON_PACKET: return "packet";
        case JAIL_REASON_FAMILY: return "family";
        case JAIL_REASON_FOREIGN_SOCKET: return "foreign-socket";
        case JAIL_REASON_FOREIGN_FILE: return "foreign-file";
        case JAIL_REASON_ABSTRACT_UNIX: return "abstract-unix";
        case JAIL_REASON_BPF: return "bpf";
        case JAIL_REASON_COUNT: break;
    }
    return "unknown";
}

}  // namespace jail_ai
