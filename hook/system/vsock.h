// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who on this machine could be reached by vsock(7) from a container on it: sockets that have
// neither an IP address nor a network namespace.
#pragma once

#include "base/result.h"
#include "policy/facts.h"

namespace jail_ai {

// Asks without loading a module: if the kernel has no vsock yet, no process listens. Errors:
// EX_OSERR.
Result<VsockListeners> find_vsock_listeners();

}  // namespace jail_ai
