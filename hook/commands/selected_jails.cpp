// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/selected_jails.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <string_view>

#include "commands/container_selector.h"
#include "container/mountinfo.h"

namespace jail_ai {
namespace {

// By the first container in its cgroup: what another version's jail says of itself isn't known.
void identify(JailSnapshot& jail, std::span<const RunningContainer> containers) {
    const auto its = std::ranges::find_if(containers, [&](const RunningContainer& each) {
        return is_at_or_below(each.cgroup, jail.cgroup);
    });
    if (its != containers.end()) jail.inside = its->id;
}

// Sets JailSnapshot::name. A container's name is a jail's only if the container is in the jail's
// cgroup: a client of the broker can make up an ID.
void put_names(std::vector<JailSnapshot>& jails, std::span<const RunningContainer> containers) {
    std::multimap<std::string_view, const RunningContainer*> by_id;
    for (const RunningContainer& each : containers) by_id.emplace(each.id, &each);
    for (JailSnapshot& jail : jails) {
        if (!jail.metadata) identify(jail, containers);
        const auto [begin, end] = by_id.equal_range(jail.container_id());
        const auto its = std::find_if(begin, end, [&](const auto& each) {
            return is_at_or_below(each.second->cgroup, jail.cgroup);
        });
        if (its != end) jail.name = its->second->name;
    }
}

}  // namespace

Result<std::vector<JailSnapshot>> select_jails(std::vector<JailSnapshot> jails,
                                               std::vector<RunningContainer> named,
                                               const std::vector<std::string>& words) {
    put_names(jails, named);
    const ContainerSelector meant(words, std::move(named));
    std::vector<std::string_view> ids;
    std::ranges::transform(jails, std::back_inserter(ids), &JailSnapshot::container_id);
    TRY(check_jailed(meant, ids));
    std::erase_if(jails, [&](const JailSnapshot& each) { return !meant.has(each.container_id()); });
    return jails;
}

}  // namespace jail_ai
