// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What can be known of the network of a container that gets it only after the hook has run, as podman does it for a container with a user
// namespace of its own. Everything is read from files of the engine and of the host, nothing from what the container can write.
#pragma once

#include "base/result.h"
#include "policy/policy.h"

namespace jail_ai {

// Adds to the view the gateways of podman's networks, whose bridges may not exist yet, and the resolvers that podman will write: the host's
// own, those that it serves at its gateways, and those of slirp4netns and pasta. Errors: EX_DATAERR, EX_IOERR for a network's file that
// can't be read.
Status foresee_network(HostView& view);

}  // namespace jail_ai
