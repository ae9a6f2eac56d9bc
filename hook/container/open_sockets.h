// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which sockets that no network hook judges a container could open, by what its config.json says of seccomp. Capabilities are another matter.
#pragma once

#include "base/result.h"
#include "container/json_part.h"

namespace jail_ai {

enum class Opened {
    yes,
    by_ia32,  // by 32-bit system calls alone, whose arguments seccomp doesn't see
    no,
};

struct OpenSockets {
    Opened packet;
    Opened vsock;

    bool operator==(const OpenSockets&) const = default;
};

// Of a whole config.json. A profile that can't be understood is taken for none: what a runtime makes of it nobody knows.
OpenSockets find_open_sockets(const JsonPart& config);

}  // namespace jail_ai
