// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which sockets that no network hook judges a container could open, by what its config.json says of
// seccomp. Capabilities are another matter.
#pragma once

#include <rapidjson/document.h>

namespace jail_ai {

enum class Opened {
    yes,
    by_ia32,  // by 32-bit system calls alone, whose arguments seccomp doesn't see
    no,
};

struct OpenSockets {
    Opened packet;
    Opened vsock;
    Opened ip = Opened::yes;  // of any type, raw ones among them

    bool operator==(const OpenSockets&) const = default;
};

// Of a config.json. What can't be understood is taken for no profile: what a runtime makes of it
// nobody knows.
OpenSockets find_open_sockets(const rapidjson::Value& config);

}  // namespace jail_ai
