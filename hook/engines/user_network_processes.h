// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The processes that carry user-mode networks, and what their command lines lead to the host.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "base/result.h"
#include "engines/user_network.h"

namespace jail_ai {

struct NetworkQuestion {
    uid_t owner;  // whose processes, as the caller's user namespace calls that user
    // The network namespace in config.json; empty if it has none there.
    std::string_view network_path;
    bool is_deferred;  // the container has no address yet: its helper comes later, and podman's own
                       // command line may say what it will do
};

// Addresses of all of the owner's helpers, for one may carry what another relays (podman's bridges
// of a user); forwards of the container's own alone. Error: EX_OSERR for a helper whose command
// line can't be read, unless the container's own is another.
Result<UserNetwork> find_user_network(const NetworkQuestion& question);

}  // namespace jail_ai
