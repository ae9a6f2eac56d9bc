// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From a container that is known to its jail: the steps that the hook takes as root and the broker for a rootless one.
#pragma once

#include "base/result.h"
#include "commands/line.h"
#include "container/bundle.h"
#include "container/request.h"
#include "jail/attachment.h"
#include "policy/risks.h"
#include "system/cgroup.h"
#include "system/host_view.h"
#include "system/process.h"

namespace jail_ai {

// Must outlive what is made of it.
struct KnownContainer {
    std::string_view id;
    const Process& process;
    const Cgroup& cgroup;  // proved to be its alone
    const Bundle& bundle;
    const ContainerFacts& facts;
    const NameFiles& names;
    Guard guard;
};

struct Jailed {
    Attachment attachment;  // in force, and gone with this unless it is kept
    Lines lines;            // for the log
};

struct Judged {
    Lines lines;                // one for each risk that is taken
    std::uint32_t open_routes;  // the same, as bits by enum Risk
};

// What closes the routes that no network hook sees: where this kernel has BPF LSM, the jail has its guard or there is no jail.
Result<Guard> choose_guard(const Process& process, const Request& request);

// Refuses a container that can go round the block (EX_CONFIG), unless it accepts by name what lets it, or is only watched.
Result<Judged> judge_risks(const Bundle& bundle, const ContainerFacts& facts, const Request& request);

// Jails it. The caller's network namespace is the host's. What is attached is proved to be on the container's cgroup, and not yet kept.
Result<Jailed> jail_container(const KnownContainer& container, const Request& request, Existing existing);

}  // namespace jail_ai
