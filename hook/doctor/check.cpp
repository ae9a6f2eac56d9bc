// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The order is that of the lines.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string_view>

#include "base/kernel_release.h"
#include "base/quote.h"
#include "container/settings_file.h"
#include "doctor/check_hooks.h"
#include "doctor/facts.h"
#include "policy/route_localnet.h"

namespace jail_ai {
namespace {

void check_hook(const MachineFacts& facts, Findings& findings) {
    findings.push_back({FindingKind::ok, "hook",
                        fmt::format("jail-ai-hook {}, BPF programs embedded", facts.version), ""});
}

void check_kernel(const MachineFacts& facts, Findings& findings) {
    if (is_at_least(facts.release, 5, 10))
        findings.push_back({FindingKind::ok, "kernel", fmt::format("Linux {}", facts.release), ""});
    else
        findings.push_back({FindingKind::problem, "kernel",
                            fmt::format("Linux {} is too old", facts.release),
                            "run Linux 5.10 or newer"});
}

void check_cgroup(const MachineFacts& facts, Findings& findings) {
    if (facts.cgroup_failure) {
        findings.push_back(
            {FindingKind::problem, "cgroup", facts.cgroup_failure->message,
             facts.cgroup_failure->exit_code == EX_UNAVAILABLE
                 ? "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or mount -t cgroup2 "
                   "none /sys/fs/cgroup"
                 : "run it, and the engine, in the cgroup namespace of the machine's first "
                   "process, with that one's cgroup2 mount: nsenter --target 1 --cgroup --mount"});
    } else if (facts.cgroup_mount != "/sys/fs/cgroup") {
        findings.push_back(
            {FindingKind::warning, "cgroup",
             fmt::format("hybrid layout, cgroup v2 at {}", quote(facts.cgroup_mount)),
             "boot with systemd.unified_cgroup_hierarchy=1: containers without a cgroup v2 of "
             "their "
             "own are rejected"});
    } else {
        findings.push_back({FindingKind::ok, "cgroup", "cgroup v2 at /sys/fs/cgroup", ""});
    }
    if (!facts.is_root && !facts.has_user_session)
        findings.push_back({FindingKind::warning, "session",
                            "no systemd user session with a bus: rootless podman may leave "
                            "containers in your own cgroup",
                            "log in on a terminal or by ssh rather than by su, or loginctl "
                            "enable-linger; apt install dbus-user-session"});
}

void check_permission(const MachineFacts& facts, Findings& findings) {
    if (facts.in_user_namespace) {
        findings.push_back(
            {FindingKind::problem, "bpf",
             "this is inside of a user namespace, and the kernel loads no BPF programs from one",
             "run doctor outside of containers and podman unshare"});
    } else if (facts.is_root) {
        if (facts.load_failure.empty())
            findings.push_back({FindingKind::ok, "bpf", "test load succeeded", ""});
        else
            findings.push_back({FindingKind::problem, "bpf", facts.load_failure,
                                "run as root with CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_PTRACE"});
    }
    if (!facts.in_user_namespace) {
        const bool needed = !facts.is_root;
        const std::string remedy = "as root: systemctl enable --now jail-ai-hook.socket";
        switch (facts.broker) {
            case Broker::listens:
                findings.push_back({FindingKind::ok, "broker",
                                    "listens at /run/jail-ai-hook.sock, for rootless engines", ""});
                break;
            case Broker::not_there:
                findings.push_back(
                    {needed ? FindingKind::problem : FindingKind::ok, "broker",
                     needed ? "no socket /run/jail-ai-hook.sock: rootless containers that ask for "
                              "the block are rejected"
                            : "no socket /run/jail-ai-hook.sock, which only rootless engines need",
                     needed ? remedy : ""});
                break;
            case Broker::deserted:
                findings.push_back({needed ? FindingKind::problem : FindingKind::warning, "broker",
                                    "no process listens at /run/jail-ai-hook.sock", remedy});
                break;
        }
    }
}

void check_drop_ins(const MachineFacts& facts, Findings& findings) {
    for (const std::string& directory : facts.unread_drop_ins)
        findings.push_back(
            {FindingKind::warning, "broker",
             fmt::format("{} has no effect: the unit is jail-ai-hook.service", quote(directory)),
             "move its files to /etc/systemd/system/jail-ai-hook.service.d, and run systemctl "
             "daemon-reload"});
}

void check_trial(const MachineFacts& facts, Findings& findings) {
    if (!facts.is_root || !facts.load_failure.empty()) return;
    if (facts.trial_failure.empty())
        findings.push_back(
            {FindingKind::ok, "trial", "a trial jail denied its test traffic at every hook", ""});
    else if (facts.acts_not)
        findings.push_back({FindingKind::problem, "trial", facts.trial_failure,
                            "fix that: until then, containers that must be jailed are rejected"});
    else
        findings.push_back(
            {FindingKind::warning, "trial",
             fmt::format("unknown whether a jail acts: {}", facts.trial_failure),
             "run doctor where the engine runs; each container is proved when it starts"});
}

void check_settings(const MachineFacts& facts, Findings& findings) {
    if (!facts.settings_failure.empty())
        findings.push_back(
            {FindingKind::problem, "settings",
             fmt::format("{}: every container that the hook is called for is rejected",
                         facts.settings_failure),
             "fix or remove that file"});
    else if (!facts.settings.settings.mode)
        findings.push_back({FindingKind::ok, "settings",
                            fmt::format("no block-host in {}: annotations decide", kSettingsFile),
                            ""});
    else
        findings.push_back({FindingKind::ok, "settings",
                            fmt::format("{}: block-host={} for every container{}", kSettingsFile,
                                        mode_name(*facts.settings.settings.mode),
                                        facts.settings.enforced ? ", enforced" : ""),
                            ""});
}

void check_sysctls(const MachineFacts& facts, Findings& findings) {
    if (facts.jit == 0)
        findings.push_back({FindingKind::warning, "jit",
                            "BPF programs are interpreted, which is slow",
                            "sysctl net.core.bpf_jit_enable=1"});
    else
        findings.push_back(
            {FindingKind::ok, "jit",
             facts.jit ? "BPF programs are compiled"
                       : "unknown whether BPF programs are compiled: the kernel does not say",
             ""});
    if (facts.unprivileged_bpf == 0)
        findings.push_back({FindingKind::warning, "sysctl", "any user may load BPF programs",
                            "sysctl kernel.unprivileged_bpf_disabled=1"});
}

void check_guard(const MachineFacts& facts, Findings& findings) {
    if (facts.has_guard) {
        findings.push_back({FindingKind::ok, "guard", "BPF LSM is active", ""});
        return;
    }
    findings.push_back(
        {FindingKind::warning, "guard",
         fmt::format("BPF LSM is not active: packet sockets and vsock are denied by seccomp and "
                     "precreate only, and descriptors passed in later are not; abstract Unix "
                     "sockets with --network host are {}",
                     facts.has_unix_hooks ? "denied by hooks of their own"
                                          : "not denied (before Linux 6.7)"),
         "on Linux 6.0 or newer boot with 'bpf' among the security modules (lsm=…,bpf on the "
         "kernel command line)"});
}

void check_others(const MachineFacts& facts, Findings& findings) {
    if (!facts.is_root || !facts.load_failure.empty()) return;
    if (!facts.others_failure.empty())
        findings.push_back({FindingKind::warning, "others", facts.others_failure,
                            "run doctor again; bpftool cgroup tree shows what is attached where"});
    std::size_t listed = 0;
    for (const ForeignProgram& other : facts.others_programs) {
        if (++listed > kMostListed) break;
        const std::string what =
            fmt::format("{} on cgroup {}", quote(other.name), quote(other.cgroup));
        if (other.exclusive)
            findings.push_back(
                {other.cgroup == "/" ? FindingKind::problem : FindingKind::warning, "others",
                 fmt::format("{} is attached without BPF_F_ALLOW_MULTI: containers in or below "
                             "that cgroup can't be jailed",
                             what),
                 "have its owner attach it with BPF_F_ALLOW_MULTI; bpftool cgroup tree "
                 "shows it"});
        else
            findings.push_back(
                {FindingKind::warning, "others",
                 fmt::format("{} runs after the jail's programs and can override them", what),
                 "find out whose it is (bpftool cgroup tree), and detach it unless you trust it"});
    }
    if (findings.empty() || findings.back().about != "others")
        findings.push_back(
            {FindingKind::ok, "others", "no other BPF program interferes with a jail", ""});
}

void check_running(const MachineFacts& facts, Findings& findings) {
    if (!facts.is_root || !facts.load_failure.empty()) return;
    const std::string what =
        facts.asking == 0 ? "no running container must be jailed"
                          : fmt::format("running containers that must be jailed: {}; jailed: {}",
                                        facts.asking, facts.having);
    if (facts.discrepancies == 0)
        findings.push_back({FindingKind::ok, "containers", what, ""});
    else
        findings.push_back({FindingKind::warning, "containers",
                            fmt::format("{}; verify reports: {}", what, facts.discrepancies),
                            "run jail-ai-hook verify"});
}

// "podman version 4.3.1": before 4.5.1 containers get the annotations of their image. What is no
// such version is a newer one's.
bool merges_image_annotations(const Program& program) {
    constexpr std::string_view kBefore = "podman version ";
    constexpr std::array<unsigned, 3> kFixed = {4, 5, 1};
    if (program.name != "podman" || !program.version.starts_with(kBefore)) return false;
    std::string_view rest = std::string_view(program.version).substr(kBefore.size());
    std::array<unsigned, 3> version{};
    for (unsigned& number : version) {
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error != std::errc()) return false;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        if (rest.starts_with('.')) rest.remove_prefix(1);
    }
    return version < kFixed;
}

void check_programs(const MachineFacts& facts, Findings& findings) {
    for (const Program& program : facts.programs) {
        findings.push_back({FindingKind::ok, program.name, program.version, ""});
        if (merges_image_annotations(program))
            findings.push_back(
                {FindingKind::ok, "images",
                 "this podman copies annotations of images to containers: those that "
                 "loosen the jail have no effect",
                 ""});
    }
    const auto is_there = [&](std::string_view name) {
        return std::ranges::any_of(facts.programs,
                                   [&](const Program& one) { return one.name == name; });
    };
    if (!is_there("podman") && !is_there("crio") && !facts.docker)
        findings.push_back({FindingKind::warning, "engine",
                            "neither podman, crio nor dockerd found in the standard directories",
                            "apt install podman"});
    if (is_there("crun"))
        findings.push_back(
            {FindingKind::warning, "restore",
             "crun calls no hook when it restores a checkpoint: restored containers "
             "are not jailed",
             "podman --runtime runc container restore; jail-ai-hook verify finds the others"});
}

// Docker says nothing of an annotation that its runtime does not read.
void check_docker(const MachineFacts& facts, Findings& findings) {
    if (!facts.docker) return;
    const auto& [file, error, settings] = *facts.docker;
    const auto warn = [&](std::string what, std::string remedy) {
        findings.push_back({FindingKind::warning, "docker", std::move(what), std::move(remedy)});
    };
    if (!error.empty()) return warn(fmt::format("{}: {}", file, error), "fix that file");
    if (settings.runtimes.empty())
        return warn(
            fmt::format("no runtime in {} calls the hook: Docker starts containers that ask "
                        "for the jail without it",
                        file),
            R"(add "runtimes": {"jail-ai": {"path": "/usr/bin/jail-ai-runc"}} there, )"
            "restart Docker, and run containers with --runtime=jail-ai");
    const std::string& name = settings.runtimes.front();
    if (settings.by_default)
        findings.push_back(
            {FindingKind::ok, "docker", "containers without --runtime call the hook, too", ""});
    else if (facts.settings.settings.mode)
        warn(fmt::format("containers without --runtime={} are not jailed, also by {}", name,
                         kSettingsFile),
             fmt::format(R"(add "default-runtime": "{}" to {}, and restart Docker)", name, file));
    else
        findings.push_back({FindingKind::ok, "docker",
                            fmt::format("containers with --runtime={} call the hook, others start "
                                        "without the jail",
                                        name),
                            ""});
}

void check_network(const MachineFacts& facts, Findings& findings) {
    if (!facts.vsock_known)
        findings.push_back({FindingKind::warning, "vsock",
                            "unknown which processes listen on vsock", "modprobe vsock_diag"});
    else if (facts.vsock_ports.empty())
        findings.push_back({FindingKind::ok, "vsock", "no process listens", ""});
    else
        findings.push_back(
            {facts.has_guard ? FindingKind::ok : FindingKind::warning, "vsock",
             fmt::format("a process listens on ports {}", fmt::join(facts.vsock_ports, " ")),
             facts.has_guard ? "" : "let podman call precreate, which drops vsock"});
    if (facts.name_servers.empty())
        findings.push_back({FindingKind::warning, "resolver", "no name server in /etc/resolv.conf",
                            "add a nameserver line: containers can't resolve names"});
    else
        findings.push_back(
            {FindingKind::ok, "resolver",
             fmt::format("DNS to {} allowed (ports 53, 853)", list(facts.name_servers)), ""});
    if (!facts.address_failure.empty())
        findings.push_back(
            {FindingKind::problem, "addresses", facts.address_failure,
             "fix the error above: nothing can be denied without the host's addresses"});
    else
        findings.push_back({FindingKind::ok, "addresses",
                            facts.addresses.empty()
                                ? "only loopback"
                                : fmt::format("{} would be denied", list(facts.addresses)),
                            ""});
    if (!facts.route_localnet.empty())
        findings.push_back({FindingKind::warning, "loopback",
                            route_localnet_text(facts.route_localnet),
                            std::string(kRouteLocalnetRemedy)});
}

}  // namespace

Findings check_machine(const MachineFacts& facts) {
    Findings findings;
    check_hook(facts, findings);
    check_kernel(facts, findings);
    check_cgroup(facts, findings);
    check_permission(facts, findings);
    check_drop_ins(facts, findings);
    check_trial(facts, findings);
    check_settings(facts, findings);
    check_sysctls(facts, findings);
    check_guard(facts, findings);
    check_others(facts, findings);
    check_hooks(facts, findings);
    check_programs(facts, findings);
    check_docker(facts, findings);
    check_network(facts, findings);
    check_running(facts, findings);
    return findings;
}

}  // namespace jail_ai
