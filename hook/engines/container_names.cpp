// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Asks the parent and no other process: a process in a container may call itself a monitor, too.
#include "engines/container_names.h"

#include "engines/docker_name.h"
#include "engines/running_containers.h"
#include "engines/runtime_state.h"
#include "system/cgroup_walk.h"
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
    // A process of that number that isn't the parent any more could be any process.
    const auto still = first.parent();
    return still && *still == *parent ? std::string(monitored->name) : std::string();
}

std::string name_of(const RunningContainer& container, const Process& first) {
    std::string name = engine_name(first, container.id);
    return name.empty() ? docker_name(container) : name;
}

std::vector<RunningContainer> named_containers() {
    std::vector<RunningContainer> named;
    for_each_container([&](const RunningContainer& each, const Process& first) {
        std::string name = name_of(each, first);
        if (name.empty()) return;
        auto cgroup = cgroup_path_of(first.proc_fd());
        if (!cgroup) return;
        RunningContainer& one = named.emplace_back(each);
        one.name = std::move(name);
        one.cgroup = std::move(*cgroup);
    });
    return named;
}

}  // namespace jail_ai
