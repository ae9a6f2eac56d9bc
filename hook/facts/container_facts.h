// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Collects what policy/risks.h checks, from the container's process and the host's file systems.
#pragma once

#include "base/result.h"
#include "facts/container.h"
#include "policy/risks.h"

namespace jail_ai {

// What its process shows, namespaces and descriptors, what is open to it without the guard, and
// what is mounted for it: then the caller's mount namespace must be the engine's. What its network
// shows is for read_network_facts() to add. Needs PTRACE_MODE_ATTACH access to the process, for
// pidfd_getfd(2). Errors: EX_OSERR, EX_NOINPUT when the process ends meanwhile.
Result<ContainerFacts> read_container_facts(const Container& container, Guard guard);

// Reads only what is mounted.
Result<ContainerFacts> read_mount_facts(const Process& process, const BundleFiles& files,
                                        Mounts mounts);

}  // namespace jail_ai
