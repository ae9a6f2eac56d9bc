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
};

// Each lets a process undo or pass by what is on the cgroup: translate and tunnel in its network namespace, attach a program of its own
// behind ours, detach ours.
constexpr std::array kCapabilities = {
    CapabilityRisk{"CAP_NET_ADMIN", Risk::cap_net_admin},
    CapabilityRisk{"CAP_BPF", Risk::cap_bpf},
    CapabilityRisk{"CAP_SYS_ADMIN", Risk::cap_sys_admin},
};

constexpr std::array<std::string_view, 4> kEngineSockets = {"podman.sock", "docker.sock", "crio.sock", "containerd.sock"};

bool is_below(std::string_view path, std::string_view directory) {
    if (directory == "/") return true;
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

void find_capabilities(const Bundle& bundle, std::vector<FoundRisk>& found) {
    for (const CapabilityRisk& capability : kCapabilities)
        if (bundle.capabilities.contains(std::string(capability.name)))
            found.push_back({capability.risk, fmt::format("it has {}", capability.name),
                             fmt::format("take it away (no --privileged, --cap-drop={})", capability.name.substr(4))});
}

// A writable cgroup file system that shows more than the container's own cgroup is a way out: write yourself into another cgroup.
void find_cgroups(const Bundle& bundle, const ContainerFacts& facts, std::vector<FoundRisk>& found) {
    const auto add = [&](std::string_view destination, std::string_view why) {
        found.push_back({Risk::host_cgroups, fmt::format("it can leave its cgroup by {}: {}", quoted(destination), why),
                         "use --cgroupns=private and don't mount cgroup file systems into it"});
    };
    for (const Mount& mount : bundle.mounts)
        if (facts.shares_cgroup_namespace && (mount.type == "cgroup" || mount.type == "cgroup2") && !mount.has_option("ro"))
            add(mount.destination, "a writable cgroup file system in the host's cgroup namespace");
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
        const bool itself = bind.is_socket && is_engine_socket(bind.source);
        if (!itself && below == facts.engine_sockets.end()) continue;
        found.push_back({Risk::engine_socket,
                         fmt::format("{} gives it a container engine's socket, {}", quoted(bind.destination), quoted(itself ? bind.source : *below)),
                         "don't mount it: who has it can start containers that are not jailed"});
    }
}

}  // namespace

bool is_engine_socket(std::string_view path) {
    return std::ranges::find(kEngineSockets, path.substr(path.rfind('/') + 1)) != kEngineSockets.end();
}

std::vector<FoundRisk> find_risks(const Bundle& bundle, const ContainerFacts& facts) {
    std::vector<FoundRisk> found;
    find_capabilities(bundle, found);
    find_cgroups(bundle, facts, found);
    // A config.json without namespaces is none that an engine wrote; what it is for, only its author knows.
    if (facts.shares_pid_namespace && !bundle.namespaces.empty())
        found.push_back({Risk::host_pid, "it sees the host's processes, and can act as those of its user", "no --pid=host"});
    find_engine_sockets(facts, found);
    for (const ForeignDescriptor& descriptor : facts.descriptors)
        found.push_back({Risk::inherited_sockets, fmt::format("its descriptor {} is {} from outside", descriptor.number, descriptor.kind),
                         "don't hand it in (--preserve-fds, socket activation)"});
    return found;
}

}  // namespace jail_ai
