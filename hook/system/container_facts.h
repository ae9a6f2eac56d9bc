// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Collects what policy/risks.h judges, from the container's process and the host's file systems.
#pragma once

#include "base/result.h"
#include "container/bundle.h"
#include "policy/risks.h"
#include "system/process.h"

namespace jail_ai {

// `bundle_fd` is the bundle's directory, below which relative mount sources lie. Needs PTRACE_MODE_ATTACH access to the process, for
// pidfd_getfd(2). Errors: EX_OSERR, EX_NOINPUT when the process ends meanwhile.
Result<ContainerFacts> read_container_facts(const Process& process, const Bundle& bundle, int bundle_fd, Guard guard);

}  // namespace jail_ai
