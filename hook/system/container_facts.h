// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Collects what policy/risks.h judges, from the container's process and the host's file systems.
#pragma once

#include "base/result.h"
#include "container/bundle.h"
#include "policy/risks.h"
#include "system/process.h"

namespace jail_ai {

// In place of the runtime that started it: it has run for a while, and what it holds may be its own, or it will go on from where it was on disk.
inline constexpr pid_t kRunsAlready = -1;

// What the process itself tells, namespaces and descriptors, and what is open to it without the guard. `runtime` is the process that started it, of
// which it depends what descriptors stay open (0 where nobody knows: then all are taken to stay), `config` the text of config.json. Needs
// PTRACE_MODE_ATTACH access to the process, for pidfd_getfd(2). Errors: EX_OSERR, EX_NOINPUT when the process ends meanwhile.
Result<ContainerFacts> read_process_facts(const Process& process, std::string_view config, Guard guard, pid_t runtime);

enum class Mounts {
    pending,  // nobody has made them yet: CRIU will
    made,     // at createRuntime, by the runtime: below the container's root, in the process's mount namespace
    entered,  // the process runs in them
};

// What is mounted for the process. The caller's mount namespace must be the engine's. `bundle_fd` is the bundle's directory, below which relative
// paths lie; -1 for a bundle that isn't in a directory.
Result<ContainerFacts> read_mount_facts(const Process& process, const Bundle& bundle, int bundle_fd, Mounts mounts);

// Both.
Result<ContainerFacts> read_container_facts(const Process& process, const Bundle& bundle, int bundle_fd, std::string_view config, Guard guard,
                                            pid_t runtime, Mounts mounts);

}  // namespace jail_ai
