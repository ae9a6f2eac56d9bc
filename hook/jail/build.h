// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Building a jail: programs loaded, maps filled, attached, and the kernel asked whether it is so. A
// Jail cannot exist with unfilled maps, and what is attached is detached again unless the
// caller says that it shall stay.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "jail/attachment.h"
#include "jail/snapshot.h"
#include "policy/policy.h"
#include "policy/risks.h"
#include "system/cgroup.h"

namespace jail_ai {

class Jail {
public:
    // Loads the programs, those of the guard among them, for this cgroup, and fills the maps;
    // attaches nothing. Needs CAP_BPF and CAP_NET_ADMIN in the initial user namespace, and what
    // load_guard() does. Of the metadata are wanted the container, its name, the open routes and
    // the inputs.
    // Errors: EX_NOPERM, EX_UNAVAILABLE for a kernel that can't, EX_OSERR.
    static Result<Jail> load(const Policy& policy, Guard guard, const Cgroup& cgroup,
                             const JailMetadata& metadata);

    // As Attachment::make(): all of it or nothing. And what is attached has been proved to act
    // (acting.h).
    Result<Attachment> attach(const Cgroup& cgroup, Existing existing) &&;

private:
    Jail(std::vector<LoadedProgram> programs, UniqueFd probe_map, const Policy& policy, Guard guard)
        : programs_(std::move(programs)),
          probe_map_(std::move(probe_map)),
          policy_(policy),
          guard_(guard) {}

    std::vector<LoadedProgram> programs_;
    UniqueFd probe_map_;
    const Policy& policy_;  // must outlive it
    Guard guard_;
};

// Loads the programs of a jail and lets go of them; attaches nothing. Errors as Jail::load().
Status try_to_load();

}  // namespace jail_ai
