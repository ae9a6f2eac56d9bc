// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/refresh.h"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include "base/quote.h"
#include "container/container_id.h"
#include "policy/inputs.h"
#include "policy/transition.h"

namespace jail_ai {

Result<RulesDiff> compare(const OpenJail& jail, const std::vector<LocalRoute>& routes,
                          std::uint32_t network) {
    RulesDiff diff;
    const auto metadata = TRY(read_metadata(jail.maps));
    if (!metadata || jail.map("jail_rules") == nullptr) {
        diff.left_alone =
            "it is of another version of jail-ai-hook (restart it), or still in the making";
        return diff;
    }
    diff.container = metadata->container;
    diff.cgroup = metadata->cgroup;
    if (metadata->engine_network != network) {
        diff.left_alone = "its engine is in another network namespace: run this there";
        return diff;
    }
    auto inputs = read_inputs(metadata->inputs);
    if (!inputs)
        return std::move(inputs).error().context(container_text(diff.container) +
                                                 ": stored policy inputs");
    inputs->host.routes = routes;
    auto policy = compile_policy(inputs->request, inputs->host);
    if (!policy) return std::move(policy).error().context(container_text(diff.container));
    diff.desired = std::move(policy->rules);
    diff.attached = TRY(read_rules(jail));
    return diff;
}

Status apply(const OpenJail& jail, const RulesDiff& diff) {
    const ProgramMap* map = jail.map("jail_rules");
    if (map == nullptr) return ok();
    for (const auto& [prefix, put] : plan_transition(diff.attached, diff.desired)) {
        const int failed = put ? ::bpf_map_update_elem(map->fd.get(), &prefix.key(), &*put, BPF_ANY)
                               : ::bpf_map_delete_elem(map->fd.get(), &prefix.key());
        if (failed != 0)
            return system_error(
                fmt::format("{} {} in jail_rules", put ? "put" : "remove", prefix.to_string()),
                errno);
    }
    return ok();
}

}  // namespace jail_ai
