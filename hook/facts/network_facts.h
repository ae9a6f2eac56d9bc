// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who the host is, seen from one container.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engines/user_network.h"
#include "policy/policy.h"
#include "system/process.h"

namespace jail_ai {

// Reads the caller's network namespace, which is the engine's (of a rootless engine: the one that
// its containers reach the network by), and the container's, what the files name, and what a
// user-mode network maps. `network_path` is the path of the network namespace in config.json, or
// empty; the container may share the caller's network namespace. Errors: EX_OSERR; EX_DATAERR for
// settings of podman's that can't be read and count here.
Result<NetworkFacts> read_network_facts(const Process& process, const NameFiles& names,
                                        const std::string& network_path, bool shares_network);

// The resolvers that a rootless engine will write, if the container's resolv.conf does not exist
// yet; `networks` is the directory of the user's networks.
Result<std::vector<IpPrefix>> predict_resolvers(const Process& process,
                                                const std::string& networks);

// What the settings of a rootless engine's user say of the network that the container will have;
// nothing if it has one, or shares the caller's.
Result<UserNetwork> predict_user_network(const Process& process);

}  // namespace jail_ai
