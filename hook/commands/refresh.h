// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// refresh: the rules of every jail brought up to the addresses that the host has now.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "commands/container_selector.h"
#include "jail/open_jail.h"
#include "system/lock_file.h"

namespace jail_ai {

struct Refreshed {
    std::string container;  // the runtime's id; empty if unknown
    std::vector<std::string>
        changes;             // as find_differences() writes them; empty if all was up to date
    std::string left_alone;  // why, if that is so
    unsigned ended;          // connections from before to what is denied now
    // Why they could not be ended, if that is so: they are cut anyway.
    std::string warning;
    // What went wrong, if something did: the rules are then no looser than before.
    std::string failure;
};

struct RefreshOptions {
    bool only_look = false;           // nothing is changed
    ContainerSelector meant{{}, {}};  // all
};

// Each jail that was looked at, unordered. Waits for others that do the same, by `lock`, which is
// kRulesLock. `progress` is called with their number, after each. Errors: EX_OSERR, EX_TEMPFAIL.
Result<std::vector<Refreshed>> refresh_jails(const LockFile& lock, OtherPrograms& others,
                                             const RefreshOptions& options,
                                             const std::function<void(std::size_t done)>& progress);

}  // namespace jail_ai
