// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The names of jailed containers, for people.
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "container/mountinfo.h"
#include "engines/running_container.h"
#include "jail/snapshot.h"

namespace jail_ai {

// Sets JailSnapshot::name. A container's name is a jail's only if the container is in the jail's
// cgroup: a client of the broker can make up an ID.
inline void put_names(std::vector<JailSnapshot>& jails,
                      std::span<const RunningContainer> containers) {
    std::multimap<std::string_view, const RunningContainer*> by_id;
    for (const RunningContainer& each : containers) by_id.emplace(each.id, &each);
    for (JailSnapshot& jail : jails) {
        const auto [begin, end] = by_id.equal_range(jail.container_id());
        const auto its = std::find_if(begin, end, [&](const auto& each) {
            return is_at_or_below(each.second->cgroup, jail.cgroup);
        });
        if (its != end) jail.name = its->second->name;
    }
}

}  // namespace jail_ai
