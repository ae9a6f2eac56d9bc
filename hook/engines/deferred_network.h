// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What can be known of what podman does only after the hook has run: it makes the network of a
// container with a user namespace of its own then, and podman 5 writes every container's
// resolv.conf then. All is read from files of the engine and of the host, nothing from what the
// container can write.
#pragma once

#include <string>

#include "base/result.h"
#include "policy/facts.h"

namespace jail_ai {

// Where podman keeps the networks that root makes, netavark(1).
inline constexpr const char* kRootsNetworks = "/etc/containers/networks";

// Adds to the view the gateways of podman's networks, whose bridges may not exist yet, as addresses
// of the host. Errors of both: EX_DATAERR, EX_IOERR for a file that can't be read.
Status predict_gateways(NetworkFacts& view);

// Adds to the view the resolvers that podman will write: the host's own, the gateways of the
// networks that the container is in (of all, if that is not known yet) and at which podman
// serves names, and those of slirp4netns and pasta. `networks` is the directory of the engine's
// networks.
Status predict_name_servers(NetworkFacts& view, const std::string& networks = kRootsNetworks);

}  // namespace jail_ai
