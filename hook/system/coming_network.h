// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What can be known of what podman does only after the hook has run: it makes the network of a container with a user namespace of its own then,
// and podman 5 writes every container's resolv.conf then. All is read from files of the engine and of the host, nothing from what the container
// can write.
#pragma once

#include "base/result.h"
#include "policy/policy.h"

namespace jail_ai {

// Adds to the view the gateways of podman's networks, whose bridges may not exist yet, as addresses of the host. Errors of both: EX_DATAERR,
// EX_IOERR for a file that can't be read.
Status foresee_gateways(HostView& view);

// Adds to the view the resolvers that podman will write: the host's own, the gateways of the networks that the container is in (of all, where that is
// not known yet) and at which podman serves names, and those of slirp4netns and pasta.
Status foresee_resolvers(HostView& view);

}  // namespace jail_ai
