// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "policy/risks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/quote.h"
#include "container/mountinfo.h"

namespace jail_ai {
namespace {

struct CapabilityRisk {
    std::string_view name;
    Risk risk;
    bool within_sys_admin;  // it adds nothing to CAP_SYS_ADMIN, which is named then
    // The kernel asks for it in the initial user namespace and nowhere else.
    bool only_machine_wide;
};

// Each lets a process undo or pass by what is on the cgroup: translate and tunnel in its network
// namespace, attach a program of its own behind ours, detach ours, open any host cgroup by file
// handle, change the kernel. In a user namespace that isn't the machine's, bpf(2) and
// init_module(2) give nothing for it. The others stay what they are: the container's network
// namespace belongs to that user namespace, so that its administrator can tunnel and forward in it,
// which no hook on a cgroup sees; it can mount a cgroup file system; and since Linux 6.11 one can
// open by handle what a file system mounted from there holds (open_by_handle_at(2)).
constexpr std::array kCapabilities = {
    CapabilityRisk{"CAP_NET_ADMIN", Risk::cap_net_admin, false, false},
    CapabilityRisk{"CAP_BPF", Risk::cap_bpf, false, true},
    CapabilityRisk{"CAP_SYS_ADMIN", Risk::cap_sys_admin, false, false},
    CapabilityRisk{"CAP_DAC_READ_SEARCH", Risk::cap_dac_read_search, true, false},
    CapabilityRisk{"CAP_SYS_MODULE", Risk::cap_sys_module, true, true},
};

// A remedy as its reader can paste it: in a service's unit, a pod's manifest, podman's command.
std::string drop(const Bundle& bundle, std::string_view capability) {
    const std::string_view name = capability.substr(std::string_view("CAP_").size());
    if (bundle.of_process) return fmt::format("drop it (CapabilityBoundingSet=~CAP_{})", name);
    if (bundle.of_pod)
        return fmt::format(
            "drop it (securityContext: {{privileged: false, capabilities: {{drop: [{}]}}}})", name);
    return fmt::format("drop it (--cap-drop={0}, not --privileged; compose: cap_drop: [{0}])",
                       name);
}

std::string_view without_host_pid(const Bundle& bundle) {
    if (bundle.of_process) return "PrivatePIDs=yes";
    return bundle.of_pod ? "hostPID: false" : "no --pid=host, no --pid=container:…";
}

void find_capabilities(const Bundle& bundle, const ContainerFacts& facts,
                       std::vector<FoundRisk>& found) {
    const bool can_do_anything = bundle.capabilities.contains("CAP_SYS_ADMIN");
    for (const CapabilityRisk& capability : kCapabilities)
        if (bundle.capabilities.contains(std::string(capability.name)) &&
            (!can_do_anything || !capability.within_sys_admin) &&
            !(facts.in_user_namespace && capability.only_machine_wide))
            found.push_back({capability.risk, fmt::format("it has {}", capability.name),
                             drop(bundle, capability.name), true});
}

// Does a later mount cover what the bind would show of it? A rootless engine binds all of /sys
// where it may not mount one, and lays the container's own cgroups over the host's.
bool is_covered(const Bundle& bundle, const BoundPath& bind, const std::string& cgroups) {
    const auto last =
        std::find_if(bundle.mounts.rbegin(), bundle.mounts.rend(),
                     [&](const Mount& mount) { return mount.destination == bind.destination; });
    const std::string inside = (bind.destination == "/" ? "" : bind.destination) +
                               cgroups.substr(bind.source == "/" ? 0 : bind.source.size());
    return std::any_of(last.base(), bundle.mounts.end(), [&](const Mount& mount) {
        return is_at_or_below(inside, mount.destination);
    });
}

// A writable cgroup file system that shows more than the container's own cgroup is a way out: write
// yourself into another cgroup.
void find_cgroups(const Bundle& bundle, const ContainerFacts& facts,
                  std::vector<FoundRisk>& found) {
    const auto add = [&](std::string_view destination, std::string_view why,
                         std::string_view remedy) {
        found.push_back({Risk::host_cgroups,
                         fmt::format("it can leave its cgroup by {}: {}", quote(destination), why),
                         std::string(remedy), true});
    };
    constexpr std::string_view kDontMount =
        "use --cgroupns=private and don't mount cgroup file systems into it";
    // So does rootless podman with --network=host by itself, and there the container's root owns
    // cgroups of the user's.
    constexpr std::string_view kCover =
        "don't mount it, or cover that (rootless with --network=host: "
        "--tmpfs=/sys/fs/cgroup:notmpcopyup)";
    // A namespace that it joined may be rooted above its own cgroup, or beside it.
    const bool sees_others = facts.shares_cgroup_namespace || bundle.joined.contains("cgroup");
    for (const Mount& mount : bundle.mounts)
        if (sees_others && (mount.type == "cgroup" || mount.type == "cgroup2") &&
            !mount.is_read_only())
            add(mount.destination,
                "a writable cgroup file system in a cgroup namespace that isn't its own",
                kDontMount);
    for (const SeenMount& mount : facts.mounts) {
        if (!mount.shows_cgroups) continue;
        const auto named = std::ranges::find(bundle.mounts, mount.destination, &Mount::destination);
        const bool is_found = sees_others && named != bundle.mounts.end() && !named->is_bind();
        if (!is_found)
            add(mount.destination,
                fmt::format("{} of the host, with its cgroup file system", quote(mount.source)),
                named == bundle.mounts.end() ? kCover : kDontMount);
    }
    for (const BoundPath& bind : facts.binds) {
        for (const std::string& cgroups : facts.cgroup_mounts) {
            const bool within = is_at_or_below(bind.source, cgroups) && !bind.read_only;
            const bool around = is_at_or_below(cgroups, bind.source) && bind.source != cgroups &&
                                bind.recursive && !is_covered(bundle, bind, cgroups);
            if (!within && !around) continue;
            add(bind.destination,
                fmt::format("{} of the host, with its cgroup file system", quote(bind.source)),
                around ? kCover : kDontMount);
            break;
        }
    }
}

void find_engine_sockets(const ContainerFacts& facts, std::vector<FoundRisk>& found) {
    const auto add = [&](std::string_view destination, std::string_view socket) {
        found.push_back({Risk::engine_socket,
                         fmt::format("{} gives it the place of a container engine's socket, {}",
                                     quote(destination), quote(socket)),
                         "don't mount it: who has it can start containers that are not jailed",
                         true});
    };
    for (const SeenMount& mount : facts.mounts)
        if (!mount.engine_socket.empty()) add(mount.destination, mount.engine_socket);
    for (const BoundPath& bind : facts.binds) {
        const auto below = std::ranges::find_if(
            facts.engine_sockets,
            [&](const std::string& socket) { return is_at_or_below(socket, bind.source); });
        std::string socket = below != facts.engine_sockets.end() ? *below : "";
        if (bind.is_socket && is_engine_socket(bind.source)) socket = bind.source;
        if (!bind.engine_socket.empty()) socket = bind.source + "/" + bind.engine_socket;
        if (!socket.empty()) add(bind.destination, socket);
    }
}

// What the guard does, and what else would.
std::string unguarded_remedy(const Unguarded& unguarded, std::string_view otherwise) {
    std::string remedy(otherwise);
    if (unguarded.by_configuration)
        remedy += fmt::format(
            "{}boot with 'bpf' among the security modules (lsm=…,bpf on the kernel command line)",
            remedy.empty() ? "" : ", or ");
    else if (remedy.empty())
        remedy =
            "give it a network namespace of its own, or boot a kernel with BPF LSM (Linux 6.0)";
    return remedy;
}

std::string_view deny_families(const Bundle& bundle) {
    if (bundle.of_process) return "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK";
    if (bundle.of_pod)
        return "use a seccomp profile that denies that socket family (securityContext: "
               "seccompProfile)";
    return "have podman call precreate (containers.conf.d/50-jail-ai-hook.conf), or use a seccomp "
           "profile that denies that socket family";
}

// By 32-bit system calls alone it is open because that was accepted, or because a profile has gaps
// there.
Risk by_way(SocketAccess opened, Risk risk) {
    return opened == SocketAccess::by_ia32 ? Risk::ia32 : risk;
}

std::string_view way(SocketAccess opened) {
    return opened == SocketAccess::by_ia32 ? " by 32-bit system calls" : "";
}

void find_vsock(const Bundle& bundle, const Unguarded& unguarded, std::vector<FoundRisk>& found) {
    const SocketAccess opened = unguarded.open_sockets.vsock;
    if (opened == SocketAccess::no) return;
    const VsockListeners& listeners = unguarded.listeners;
    std::string who = "which reach a hypervisor; no process on this machine listens now";
    if (!listeners.known)
        who = "and this kernel doesn't say who on this machine listens (no vsock_diag)";
    if (!listeners.ports.empty())
        who = fmt::format("and a process of this machine listens on vsock port {}",
                          listeners.ports.front());
    found.push_back({by_way(opened, Risk::vsock),
                     fmt::format("it can open vsock sockets{}, {}", way(opened), who),
                     unguarded_remedy(unguarded, deny_families(bundle)),
                     !listeners.known || !listeners.ports.empty()});
}

// What CAP_NET_RAW opens: frames if nothing else denies packet sockets, fragments if the kernel
// loses their sockets, and in the host's network multicast: the kernel (ip_mc_output()) gives its
// own listeners a copy that no hook of a cgroup is called for. A UDP socket's call is checked
// before, a raw one's isn't.
void find_raw(const Bundle& bundle, const ContainerFacts& facts, std::vector<FoundRisk>& found) {
    if (!bundle.capabilities.contains("CAP_NET_RAW")) return;
    const ReachableFamilies open =
        facts.unguarded ? facts.unguarded->open_sockets
                        : ReachableFamilies{SocketAccess::no, SocketAccess::no, SocketAccess::yes};
    if (open.packet != SocketAccess::no)
        found.push_back(
            {by_way(open.packet, Risk::cap_net_raw),
             fmt::format("it has CAP_NET_RAW and can open packet sockets{}", way(open.packet)),
             unguarded_remedy(*facts.unguarded, fmt::format("{}, {}", drop(bundle, "CAP_NET_RAW"),
                                                            deny_families(bundle))),
             true});
    if (facts.loses_fragments && open.ip != SocketAccess::no)
        found.push_back({Risk::cap_net_raw,
                         "it has CAP_NET_RAW, and before Linux 6.9 fragments of raw sockets bypass "
                         "the block if connections are tracked",
                         drop(bundle, "CAP_NET_RAW") + ", or boot Linux 6.9 or newer", true});
    if (facts.shares_network && !facts.in_user_namespace && open.ip != SocketAccess::no)
        found.push_back(
            {Risk::cap_net_raw,
             "it has CAP_NET_RAW in the host's network, where services of the host get "
             "what a raw socket sends by multicast or broadcast",
             drop(bundle, "CAP_NET_RAW") + ", or give it a network namespace of its own", true});
}

void find_unguarded(const Bundle& bundle, const Unguarded& unguarded,
                    std::vector<FoundRisk>& found) {
    find_vsock(bundle, unguarded, found);
    if (unguarded.abstract_unix)
        found.push_back(
            {Risk::abstract_unix,
             "it reaches abstract Unix sockets of this machine, as it shares the network namespace",
             unguarded_remedy(unguarded, ""), false});
}

// One port is what people open for one service of the host's, and is reported; all of them are the
// host.
void find_forwards(const ContainerFacts& facts, std::vector<FoundRisk>& found) {
    for (const LoopbackForward& forward : facts.forwards)
        found.push_back(
            {Risk::host_loopback,
             fmt::format(
                 "its own loopback leads to the host's 127.0.0.1 and ::1, by pasta's {}: {}",
                 quote(forward.option),
                 forward.every_port ? "on every port that is listened on" : "on these ports"),
             "name single ports (--network=pasta:-T,PORT), or none", forward.every_port});
}

}  // namespace

bool is_engine_socket(std::string_view path) {
    return std::ranges::find(kEngineSocketNames, path.substr(path.rfind('/') + 1)) !=
           kEngineSocketNames.end();
}

std::vector<FoundRisk> find_risks(const Bundle& bundle, const ContainerFacts& facts) {
    std::vector<FoundRisk> found;
    find_capabilities(bundle, facts, found);
    find_cgroups(bundle, facts, found);
    // A config.json without namespaces is none that an engine wrote; what it is for, only its
    // author knows.
    if (facts.sees_other_processes && (!bundle.namespaces.empty() || bundle.of_process))
        found.push_back({Risk::host_pid,
                         "it sees processes that are not its own, and can act as those of its user",
                         std::string(without_host_pid(bundle)), true});
    const auto add_procfs = [&](std::string_view destination, std::string_view source) {
        found.push_back(
            {Risk::host_pid,
             fmt::format("{} shows it {} of the host", quote(destination), quote(source)),
             "don't mount it", true});
    };
    for (const SeenMount& mount : facts.mounts)
        if (mount.shows_processes) add_procfs(mount.destination, mount.source);
    for (const BoundPath& bind : facts.binds)
        if (bind.is_procfs) add_procfs(bind.destination, bind.source);
    find_engine_sockets(facts, found);
    for (const ForeignDescriptor& descriptor : facts.descriptors)
        found.push_back({Risk::inherited_sockets,
                         fmt::format("its descriptor {} is {} from outside", descriptor.number,
                                     descriptor.kind),
                         "don't hand it in (--preserve-fds, socket activation)", true});
    find_raw(bundle, facts, found);
    if (facts.unguarded) find_unguarded(bundle, *facts.unguarded, found);
    find_forwards(facts, found);
    return found;
}

}  // namespace jail_ai
