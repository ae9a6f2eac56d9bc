// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See facts.h. The order is that of the lines.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

#include "base/quoted.h"
#include "doctor/facts.h"
#include "doctor/hooks_dirs.h"

namespace jail_ai {
namespace {

using Findings = std::vector<Finding>;

constexpr std::size_t kMostListed = 8;

bool is_at_least(std::string_view release, int major, int minor) {
    int has_major = 0;
    int has_minor = 0;
    const char* end = release.data() + release.size();
    const auto [dot, error] = std::from_chars(release.data(), end, has_major);
    if (error != std::errc() || dot == end || *dot != '.') return false;
    if (std::from_chars(dot + 1, end, has_minor).ec != std::errc()) return false;
    return has_major > major || (has_major == major && has_minor >= minor);
}

std::string list(const std::vector<std::string>& words) {
    const auto shown = std::span(words).first(std::min(words.size(), kMostListed));
    return fmt::format("{}{}", fmt::join(shown, " "), words.size() > shown.size() ? fmt::format(" and {} more", words.size() - shown.size()) : "");
}

void judge_kernel(const MachineFacts& facts, Findings& findings) {
    if (is_at_least(facts.release, 5, 10))
        findings.push_back({Grade::ok, "kernel", fmt::format("Linux {}", facts.release), ""});
    else
        findings.push_back({Grade::problem, "kernel", fmt::format("Linux {} is too old", facts.release), "run Linux 5.10 or newer"});
}

void judge_cgroup(const MachineFacts& facts, Findings& findings) {
    if (!facts.cgroup_failure.empty()) {
        findings.push_back({Grade::problem, "cgroup", facts.cgroup_failure,
                            "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or mount -t cgroup2 none /sys/fs/cgroup"});
    } else if (facts.cgroup_mount != "/sys/fs/cgroup") {
        findings.push_back({Grade::warning, "cgroup", fmt::format("hybrid layout, cgroup v2 at {}", quoted(facts.cgroup_mount)),
                            "where an engine gives containers no cgroup of their own there, they are refused: boot with "
                            "systemd.unified_cgroup_hierarchy=1"});
    } else {
        findings.push_back({Grade::ok, "cgroup", "cgroup v2 at /sys/fs/cgroup", ""});
    }
    if (!facts.is_root && !facts.has_user_session)
        findings.push_back({Grade::warning, "session", "no systemd user session with a bus: rootless podman may leave containers in your own cgroup",
                            "log in on a terminal or by ssh rather than by su, or loginctl enable-linger; apt install dbus-user-session"});
}

void judge_permission(const MachineFacts& facts, Findings& findings) {
    if (facts.in_user_namespace) {
        findings.push_back({Grade::problem, "bpf", "this is inside of a user namespace, where the kernel refuses BPF programs",
                            "run doctor outside of containers and podman unshare"});
    } else if (facts.is_root) {
        if (facts.load_failure.empty())
            findings.push_back({Grade::ok, "bpf", "the kernel takes the programs", ""});
        else
            findings.push_back({Grade::problem, "bpf", facts.load_failure, "run as root with CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_PTRACE"});
    }
    if (!facts.in_user_namespace) {
        const bool needed = !facts.is_root;
        const std::string remedy = "as root: systemctl enable --now jail-ai-hook.socket";
        switch (facts.broker) {
            case Broker::listens: findings.push_back({Grade::ok, "broker", "listens at /run/jail-ai-hook.sock, for rootless engines", ""}); break;
            case Broker::not_there:
                findings.push_back({needed ? Grade::problem : Grade::ok, "broker",
                                    needed ? "no socket /run/jail-ai-hook.sock: rootless containers that ask for the block are refused"
                                           : "no socket /run/jail-ai-hook.sock, which only rootless engines need",
                                    needed ? remedy : ""});
                break;
            case Broker::deserted:
                findings.push_back({needed ? Grade::problem : Grade::warning, "broker", "nobody listens at /run/jail-ai-hook.sock", remedy});
                break;
        }
    }
}

void judge_sysctls(const MachineFacts& facts, Findings& findings) {
    if (facts.jit == 0)
        findings.push_back({Grade::warning, "jit", "BPF programs are interpreted, which is slow", "sysctl net.core.bpf_jit_enable=1"});
    else
        findings.push_back(
            {Grade::ok, "jit", facts.jit ? "BPF programs are compiled" : "the kernel doesn't say whether BPF programs are compiled", ""});
    if (facts.unprivileged_bpf == 0)
        findings.push_back({Grade::warning, "sysctl", "any user may load BPF programs", "sysctl kernel.unprivileged_bpf_disabled=1"});
}

void judge_guard(const MachineFacts& facts, Findings& findings) {
    if (facts.has_guard) {
        findings.push_back({Grade::ok, "guard", "BPF LSM is active", ""});
        return;
    }
    findings.push_back(
        {Grade::warning, "guard",
         "BPF LSM is not active: packet sockets, vsock, abstract Unix sockets with --network host, and sockets handed in later are left "
         "to seccomp and the stage precreate",
         "on Linux 6.0 or newer boot with 'bpf' among the security modules (lsm=…,bpf on the kernel command line)"});
}

bool has_stage(const SeenHook& hook, std::string_view stage) {
    return std::ranges::find(hook.stages, stage) != hook.stages.end();
}

void judge_hooks(const MachineFacts& facts, Findings& findings) {
    bool jails = false;
    bool tightens = false;
    for (const SeenHook& hook : facts.hooks) {
        if (!hook.error.empty()) {
            findings.push_back({Grade::problem, "hooks", fmt::format("{}: {}: podman starts no container", quoted(hook.file), hook.error),
                                "mend it or take it away"});
        } else if (hook.is_ours && !hook.trouble.empty()) {
            findings.push_back(
                {Grade::problem, "hooks",
                 fmt::format("{} names {}, which is {}: {}", quoted(hook.file), quoted(hook.binary), hook.trouble,
                             hook.trouble == "missing" ? "podman starts containers unprotected and says nothing" : "podman starts no container"),
                 "install the binary again, or take the JSON away"});
        } else if (hook.is_ours) {
            jails = jails || has_stage(hook, "createRuntime");
            tightens = tightens || has_stage(hook, "precreate");
        }
    }
    const std::string dirs = list(facts.hooks_dirs);
    if (jails)
        findings.push_back({Grade::ok, "hooks", fmt::format("podman calls createRuntime (hooks in {})", dirs), ""});
    else
        findings.push_back({Grade::problem, "hooks", fmt::format("podman calls no createRuntime of jail-ai-hook (hooks in {})", dirs),
                            fmt::format("install it, or name its directory in hooks_dir of containers.conf; the default is {}", kDefaultHooksDir)});
    if (tightens)
        findings.push_back({Grade::ok, "precreate", "podman calls precreate", ""});
    else
        findings.push_back({facts.has_guard ? Grade::ok : Grade::warning, "precreate",
                            facts.has_guard ? "podman doesn't call precreate, which BPF LSM makes unnecessary"
                                            : "podman doesn't call precreate: containers that can open packet or vsock sockets are refused",
                            facts.has_guard ? "" : "install /etc/containers/containers.conf.d/50-jail-ai-hook.conf"});
    for (const SeenHook& hook : facts.shared_hooks)
        if (has_stage(hook, "precreate"))
            findings.push_back({Grade::problem, "precreate",
                                fmt::format("{} has a stage that CRI-O doesn't know: it doesn't start", quoted(hook.file)),
                                "move it to a directory that only podman reads"});
}

void judge_programs(const MachineFacts& facts, Findings& findings) {
    for (const Program& program : facts.programs) findings.push_back({Grade::ok, program.name, program.version, ""});
    const auto is_there = [&](std::string_view name) {
        return std::ranges::any_of(facts.programs, [&](const Program& one) { return one.name == name; });
    };
    if (!is_there("podman") && !is_there("crio"))
        findings.push_back({Grade::warning, "engine", "neither podman nor crio is installed where people look", "apt install podman"});
    if (is_there("crun"))
        findings.push_back({Grade::warning, "restore",
                            "crun calls no hook for a container that it restores from a checkpoint: such a one is not jailed", "restore with runc"});
}

void judge_network(const MachineFacts& facts, Findings& findings) {
    if (!facts.vsock_known)
        findings.push_back({Grade::warning, "vsock", "the kernel doesn't say who listens on vsock", "modprobe vsock_diag"});
    else if (facts.vsock_ports.empty())
        findings.push_back({Grade::ok, "vsock", "nobody listens", ""});
    else
        findings.push_back({facts.has_guard ? Grade::ok : Grade::warning, "vsock",
                            fmt::format("somebody listens on ports {}", fmt::join(facts.vsock_ports, " ")),
                            facts.has_guard ? "" : "let podman call precreate, which takes vsock away"});
    if (facts.name_servers.empty())
        findings.push_back({Grade::warning, "resolver", "/etc/resolv.conf names no server", "name one, or containers resolve no names"});
    else
        findings.push_back({Grade::ok, "resolver", fmt::format("{}: answers DNS to containers, and nothing else", list(facts.name_servers)), ""});
    if (!facts.address_failure.empty())
        findings.push_back({Grade::problem, "addresses", facts.address_failure, "without them nothing can be blocked: mend what the message says"});
    else
        findings.push_back(
            {Grade::ok, "addresses", facts.addresses.empty() ? "only loopback" : fmt::format("{} would be blocked", list(facts.addresses)), ""});
}

}  // namespace

std::vector<Finding> judge_machine(const MachineFacts& facts) {
    Findings findings;
    judge_kernel(facts, findings);
    judge_cgroup(facts, findings);
    judge_permission(facts, findings);
    judge_sysctls(facts, findings);
    judge_guard(facts, findings);
    judge_hooks(facts, findings);
    judge_programs(facts, findings);
    judge_network(facts, findings);
    return findings;
}

}  // namespace jail_ai
