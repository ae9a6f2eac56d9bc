// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See risks.h.
#include "policy/risks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/quoted.h"

namespace jail_ai {
namespace {

struct CapabilityRisk {
    std::string_view name;
    Risk risk;
    bool within_sys_admin;  // it adds nothing to CAP_SYS_ADMIN, which is named then
};

// Each lets a process undo or pass by what is on the cgroup: translate and tunnel in its network namespace, attach a program of its own
// behind ours, detach ours, open any host cgroup by file handle, change the kernel.
constexpr std::array kCapabilities = {
    CapabilityRisk{"CAP_NET_ADMIN", Risk::cap_net_admin, false},  CapabilityRisk{"CAP_BPF", Risk::cap_bpf, false},
    CapabilityRisk{"CAP_SYS_ADMIN", Risk::cap_sys_admin, false},  CapabilityRisk{"CAP_DAC_READ_SEARCH", Risk::cap_dac_read_search, true},
    CapabilityRisk{"CAP_SYS_MODULE", Risk::cap_sys_module, true},
};

bool is_below(std::string_view path, std::string_view directory) {
    if (directory == "/") return true;
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

void find_capabilities(const Bundle& bundle, std::vector<FoundRisk>& found) {
    const bool can_do_anything = bundle.capabilities.contains("CAP_SYS_ADMIN");
    for (const CapabilityRisk& capability : kCapabilities)
        if (bundle.capabilities.contains(std::string(capability.name)) && (!can_do_anything || !capability.within_sys_admin))
            found.push_back({capability.risk, fmt::format("it has {}", capability.name),
                             fmt::format("take it away (no --privileged, --cap-drop={})", capability.name.substr(4))});
}

// A writable cgroup file system that shows more than the container's own cgroup is a way out: write yourself into another cgroup.
void find_cgroups(const Bundle& bundle, const ContainerFacts& facts, std::vector<FoundRisk>& found) {
    const auto add = [&](std::string_view destination, std::string_view why) {
        found.push_back({Risk::host_cgroups, fmt::format("it can leave its cgroup by {}: {}", quoted(destination), why),
                         "use --cgroupns=private and don't mount cgroup file systems into it"});
    };
    // A namespace that it joined may be rooted above its own cgroup, or beside it.
    const bool sees_others = facts.shares_cgroup_namespace || bundle.joined.contains("cgroup");
    for (const Mount& mount : bundle.mounts)
        if (sees_others && (mount.type == "cgroup" || mount.type == "cgroup2") && !mount.has_option("ro"))
            add(mount.destination, "a writable cgroup file system in a cgroup namespace that isn't its own");
    for (const BoundPath& bind : facts.binds) {
        for (const std::string& cgroups : facts.cgroup_mounts) {
            const bool within = is_below(bind.source, cgroups) && !bind.read_only;
            const bool around = is_below(cgroups, bind.source) && bind.source != cgroups && bind.recursive;
            if (!within && !around) continue;
            add(bind.destination, fmt::format("{} of the host, with its cgroup file system", quoted(bind.source)));
            break;
        }
    }
}

void find_engine_sockets(const ContainerFacts& facts, std::vector<FoundRisk>& found) {
    for (const BoundPath& bind : facts.binds) {
        const auto below = std::ranges::find_if(facts.engine_sockets, [&](const std::string& socket) { return is_below(socket, bind.source); });
        std::string socket = below != facts.engine_sockets.end() ? *below : "";
        if (bind.is_socket && is_engine_socket(bind.source)) socket = bind.source;
        if (!bind.engine_socket.empty()) socket = bind.source + "/" + bind.engine_socket;
        if (socket.empty()) continue;
        found.push_back({Risk::engine_socket, fmt::format("{} gives it a container engine's socket, {}", quoted(bind.destination), quoted(socket)),
                         "don't mount it: who has it can start containers that are not jailed"});
    }
}

}  // namespace

bool is_engine_socket(std::string_view path) {
    return std::ranges::find(kEngineSocketNames, path.substr(path.rfind('/') + 1)) != kEngineSocketNames.end();
}

std::vector<FoundRisk> find_risks(const Bundle& bundle, const ContainerFacts& facts) {
    std::vector<FoundRisk> found;
    find_capabilities(bundle, found);
    find_cgroups(bundle, facts, found);
    // A config.json without namespaces is none that an engine wrote; what it is for, only its author knows.
    if (facts.sees_other_processes && !bundle.namespaces.empty())
        found.push_back(
            {Risk::host_pid, "it sees processes that are not its own, and can act as those of its user", "no --pid=host, no --pid=container:…"});
    for (const BoundPath& bind : facts.binds)
        if (bind.is_procfs)
            found.push_back(
                {Risk::host_pid, fmt::format("{} shows it {} of the host", quoted(bind.destination), quoted(bind.source)), "don't mount it"});
    find_engine_sockets(facts, found);
    for (const ForeignDescriptor& descriptor : facts.descriptors)
        found.push_back({Risk::inherited_sockets, fmt::format("its descriptor {} is {} from outside", descriptor.number, descriptor.kind),
                         "don't hand it in (--preserve-fds, socket activation)"});
    return found;
}

}  // namespace jail_ai
