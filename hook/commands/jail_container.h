// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From a container to its jail: the line that everything here is about. createRuntime, broker and
// attach differ in how they come to know the container.
#pragma once

#include "base/result.h"
#include "commands/outcome.h"
#include "container/request.h"
#include "facts/container.h"
#include "jail/attachment.h"
#include "policy/risks.h"

namespace jail_ai {

struct Jailed {
    Attachment attachment;  // in force, and gone with this unless it is kept
    LogLines lines;         // for the log
};

// Jails it. The caller's network namespace is the engine's. What is attached is proved to be on the
// container's cgroup, and not yet kept.
Result<Jailed> jail(const Container& container, const Request& request, Existing existing);

struct CheckedRisks {
    LogLines lines;       // one for each risk that is taken
    std::uint32_t risks;  // the same, as bits by enum Risk
};

// Rejects a container that could bypass the block (EX_CONFIG), unless it accepts by name what lets
// it, or is only watched.
Result<CheckedRisks> check_risks(const Bundle& bundle, const ContainerFacts& facts,
                                 const Request& request);

}  // namespace jail_ai
