// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/blinding_hierarchy.h"

#include "base/kernel_release.h"
#include "base/lines.h"

namespace jail_ai {

std::string_view blinding_hierarchy(std::string_view release, std::string_view proc_cgroups) {
    if (is_at_least(release, 5, 15)) return {};
    while (!proc_cgroups.empty()) {
        std::string_view line = next_line(proc_cgroups);
        for (const std::string_view controller : {"net_cls", "net_prio"}) {
            // Name, number of its hierarchy (0: none of cgroup v1), …
            if (!line.starts_with(controller) ||
                line.substr(controller.size()).substr(0, 1) != "\t")
                continue;
            if (line.substr(controller.size() + 1, 2) != "0\t") return controller;
        }
    }
    return {};
}

}  // namespace jail_ai
