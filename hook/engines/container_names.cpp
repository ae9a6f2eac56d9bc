// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Asked is the parent and no other process: that a process in some container calls itself a monitor says nothing.
#include "engines/container_names.h"

#include "container/cgroup_path.h"
#include "engines/running_containers.h"
#include "engines/runtime_state.h"
#include "system/file.h"

namespace jail_ai {

std::string engine_name(const Process& first, std::string_view id) {
    const auto parent = first.parent();
    if (!parent || *parent == 0) return {};
    const auto monitor = Process::open(*parent);
    if (!monitor) return {};
    const auto cmdline = read_kernel_file(monitor->proc_fd(), "cmdline");
    if (!cmdline) return {};
    const auto monitored = monitored_by(*cmdline);
    if (!monitored || monitored->id != id) return {};
    // A process of that number that isn't the parent any more could be anybody's.
    const auto still = first.parent();
    return still && *still == *parent ? std::string(monitored->name) : std::string();
}

std::vector<NamedContainer> named_containers() {
    std::vector<NamedContainer> named;
    for_each_container([&](const RunningContainer& each) {
        std::string name = engine_name(each.process, each.id);
        if (name.empty()) return;
        const auto text = read_kernel_file(each.process.proc_fd(), "cgroup");
        auto cgroup = text ? parse_cgroup_path(*text) : Result<std::string>(text.error());
        if (cgroup) named.push_back({each.id, std::move(name), std::move(*cgroup)});
    });
    return named;
}

}  // namespace jail_ai
