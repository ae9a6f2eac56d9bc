// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which sockets that no network hook checks a container could open, by what its config.json says of
// seccomp. Capabilities are another matter.
#pragma once

#include <rapidjson/document.h>

namespace jail_ai {

enum class SocketAccess {
    yes,
    by_ia32,  // by 32-bit system calls alone, whose arguments seccomp doesn't see
    no,
};

struct ReachableFamilies {
    SocketAccess packet;
    SocketAccess vsock;
    SocketAccess ip = SocketAccess::yes;  // of any type, raw ones among them

    bool operator==(const ReachableFamilies&) const = default;
};

// Reads a config.json. A profile that can't be understood is treated as none: it is unknown what a
// runtime makes of it.
ReachableFamilies find_reachable_families(const rapidjson::Value& config);

}  // namespace jail_ai
