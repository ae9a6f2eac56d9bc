// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "doctor/probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/absence.h"
#include "base/quote.h"
#include "broker/client.h"
#include "container/cgroup_path.h"
#include "doctor/listening.h"
#include "engines/containers_conf.h"
#include "engines/containers_conf_files.h"
#include "engines/hooks_dirs.h"
#include "engines/pause_process.h"
#include "jail/build.h"
#include "jail/inspect.h"
#include "system/cgroup_walk.h"
#include "system/file.h"
#include "system/lsm.h"
#include "system/machine_settings.h"
#include "system/name_files.h"
#include "system/process.h"
#include "system/route_localnet.h"
#include "system/routes.h"
#include "system/vsock.h"
#include "verify/probe.h"
#include "version.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxFile = 1U << 20;
constexpr std::string_view kOwnSettings = "/50-jail-ai-hook.conf";

std::string text_of(const std::string& path) {
    auto text = read_regular_file(AT_FDCWD, path, kMaxFile);
    return text ? std::move(*text) : std::string();
}

std::optional<int> sysctl(const std::string& path) {
    const std::string text = text_of(path);
    int value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
        return std::nullopt;
    return value;
}

std::string trouble_with(const std::string& binary) {
    struct stat info {};
    if (::stat(binary.c_str(), &info) != 0)
        return means_absent(Sought::file, errno) ? "missing" : ::strerror(errno);
    return S_ISREG(info.st_mode) && ::access(binary.c_str(), X_OK) == 0 ? "" : "not executable";
}

std::vector<SeenHook> hooks_in(const std::string& directory) {
    std::vector<SeenHook> hooks;
    const auto files = files_in(directory, ".json");
    if (!files) return {{.file = directory, .error = files.error().message}};
    for (const std::string& file : *files) {
        auto text = read_regular_file(AT_FDCWD, file, kMaxFile);
        auto json = text ? parse_hook_json(*text) : Result<HookJson>(std::move(text).error());
        SeenHook hook;
        hook.file = file;
        if (json) {
            hook.binary = std::move(json->path);
            hook.stages = std::move(json->stages);
            hook.is_ours = json->is_ours;
            hook.verb = std::move(json->verb);
            hook.flags = std::move(json->flags);
            hook.called_for = called_for(json->when);
            hook.trouble = trouble_with(hook.binary);
        } else {
            hook.error = json.error().message;
        }
        hooks.push_back(std::move(hook));
    }
    return hooks;
}

void note_left_out(LeftOutHooks one, std::vector<LeftOutHooks>& all) {
    if (std::ranges::find(all, one.directory, &LeftOutHooks::directory) == all.end())
        all.push_back(std::move(one));
}

void collect_hooks(const Surroundings& surroundings, MachineFacts& facts) {
    facts.hooks_dirs = {std::string(kDefaultHooksDir)};
    const auto files = settings_files(
        {surroundings.containers_conf, {}, surroundings.config_home, surroundings.home},
        !facts.is_root);
    if (!files) facts.hooks.push_back({.file = "containers.conf", .error = files.error().message});
    std::map<std::string, std::string> named_by;
    for (const std::string& file : files ? *files : std::vector<std::string>()) {
        const auto conf = parse_containers_conf(text_of(file));
        if (!conf || !conf->hooks_dir) continue;
        take_list(conf->hooks_dir, facts.hooks_dirs);
        for (const std::string& directory : conf->hooks_dir->values)
            named_by.try_emplace(directory, file);
        for (const auto& [directory, namer] : named_by)
            if (std::ranges::find(facts.hooks_dirs, directory) == facts.hooks_dirs.end())
                note_left_out({directory, namer, file}, facts.left_out);
    }
    std::erase_if(facts.left_out, [&](const LeftOutHooks& each) {
        const auto hooks = files_in(each.directory, ".json");
        return std::ranges::find(facts.hooks_dirs, each.directory) != facts.hooks_dirs.end() ||
               (hooks && hooks->empty());
    });
    // podman 5 appends to its default, which the settings of this installation name for podman 4.
    for (auto at = facts.hooks_dirs.begin(); at != facts.hooks_dirs.end();)
        at = std::find(at + 1, facts.hooks_dirs.end(), *at) == facts.hooks_dirs.end()
                 ? at + 1
                 : facts.hooks_dirs.erase(at);
    std::map<std::string, SeenHook> by_name;  // a later directory's file hides one of the same name
    for (const std::string& directory : facts.hooks_dirs)
        for (SeenHook& hook : hooks_in(directory))
            by_name.insert_or_assign(hook.file.substr(hook.file.rfind('/') + 1), std::move(hook));
    const auto pause = facts.is_root ? std::nullopt : find_pause_process(surroundings.runtime_dir);
    for (auto& [name, hook] : by_name) {
        hook.is_hidden =
            pause && (is_hidden_from(*pause, hook.file) || is_hidden_from(*pause, hook.binary));
        facts.hooks.push_back(std::move(hook));
    }
    facts.shared_hooks = hooks_in(std::string(kDefaultHooksDir));
}

// Of the user's own Docker, if there is one.
void collect_docker(const Surroundings& surroundings, MachineFacts& facts) {
    if (std::ranges::find(facts.programs, "dockerd", &Program::name) == facts.programs.end())
        return;
    SeenDocker& docker = facts.docker.emplace();
    const std::string users = (surroundings.config_home.empty() ? surroundings.home + "/.config"
                                                                : surroundings.config_home) +
                              "/docker/daemon.json";
    struct stat info {};
    const bool has_own = !facts.is_root && ::stat(users.c_str(), &info) == 0;
    docker.file = has_own ? users : "/etc/docker/daemon.json";
    const auto text = read_regular_file(AT_FDCWD, docker.file, kMaxFile);
    if (!text && is_absent(text)) return;
    const auto settings =
        text ? parse_docker_settings(*text) : Result<DockerSettings>(text.error());
    if (settings)
        docker.settings = *settings;
    else
        docker.error = settings.error().message;
}

void collect_cgroup(MachineFacts& facts) {
    const auto look = []() -> Result<CgroupPlace> {
        auto self = TRY(open_proc_self());
        auto cgroup = TRY(read_kernel_file(self.get(), "cgroup"));
        auto path = TRY(parse_cgroup_path(cgroup));
        auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
        return place_cgroup(mountinfo, path);
    };
    auto place = look();
    if (place)
        facts.cgroup_mount = std::move(place->mount_point);
    else
        facts.cgroup_failure = std::move(place).error();
}

// By the kernel's list: to connect would start the broker.
Broker look_for_broker() {
    struct stat info {};
    if (::lstat(kBrokerSocket, &info) != 0) return Broker::not_there;
    return is_listened_at(text_of("/proc/net/unix"), kBrokerSocket) ? Broker::listens
                                                                    : Broker::deserted;
}

// The broker's unit was a template once. Who tightened it by a drop-in believes that this holds.
std::vector<std::string> drop_ins_of_old_unit() {
    std::vector<std::string> found;
    for (const char* units : {"/etc/systemd/system", "/run/systemd/system",
                              "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"}) {
        std::string directory = fmt::format("{}/jail-ai-hook@.service.d", units);
        struct stat info {};
        if (::stat(directory.c_str(), &info) == 0) found.push_back(std::move(directory));
    }
    return found;
}

void collect_network(MachineFacts& facts) {
    if (const auto listeners = find_vsock_listeners()) {
        facts.vsock_known = listeners->known;
        facts.vsock_ports.assign(listeners->ports.begin(), listeners->ports.end());
    } else {
        facts.vsock_known = false;
    }
    for (const IpPrefix& server : name_servers(text_of("/etc/resolv.conf")))
        facts.name_servers.push_back(server.to_string());
    if (auto routers = route_localnet_interfaces()) facts.route_localnet = std::move(*routers);
    auto routes = read_local_routes();
    if (!routes) {
        facts.address_failure = routes.error().message;
        return;
    }
    for (const LocalRoute& route : *routes) {
        if (route.reason != JAIL_REASON_LOCAL || route.device == "lo") continue;
        std::string address = route.prefix.to_string();
        if (std::ranges::find(facts.addresses, address) == facts.addresses.end())
            facts.addresses.push_back(std::move(address));
    }
}

// Reads the network hooks, which every jail uses. Only cgroup_skb programs do not override one
// another.
void collect_others_programs(MachineFacts& facts) {
    const auto looked = for_each_cgroup([&](int cgroup_fd, const std::string& path) -> Status {
        for (const ProgramSlot& slot : kProgramTable) {
            auto others = TRY(foreign_programs(cgroup_fd, slot));
            const bool checks_packets =
                slot.type == BPF_CGROUP_INET_INGRESS || slot.type == BPF_CGROUP_INET_EGRESS;
            for (AttachedProgram& other : others)
                if (const bool exclusive = other.attach_flags == 0; exclusive || !checks_packets)
                    facts.others_programs.push_back({std::move(other.name), path, exclusive});
        }
        return ok();
    });
    if (!looked) facts.others_failure = looked.error().message;
}

void collect_running(MachineFacts& facts) {
    auto seen = collect_containers();
    if (!seen) return;  // for want of cgroup v2 or permission, which have lines of their own
    for (const SeenContainer& container : seen->containers) {
        if (!wants_jail(container)) continue;
        ++facts.asking;
        if (is_jailed(container, seen->jails)) ++facts.having;
    }
    const Findings found = check_containers(*seen);
    facts.discrepancies = static_cast<std::size_t>(std::ranges::count_if(found, is_failure));
    if (const auto stale = find_stale(*seen)) facts.discrepancies += stale->size();
}

}  // namespace

MachineFacts try_machine() {
    MachineFacts facts;
    facts.version = JAIL_AI_VERSION;
    struct utsname name {};
    if (::uname(&name) == 0) facts.release = name.release;
    const auto initial = in_initial_user_namespace();
    facts.in_user_namespace = initial && !*initial;
    facts.is_root = ::geteuid() == 0 && !facts.in_user_namespace;
    if (facts.is_root)
        if (auto tried = try_to_load(); !tried) facts.load_failure = tried.error().message;
    if (facts.is_root && facts.load_failure.empty())
        if (auto tried = try_to_jail(); !tried) {
            facts.trial_failure = tried.error().message;
            facts.acts_not = tried.error().exit_code == EX_UNAVAILABLE;
        }
    const auto guard = guard_is_available();
    facts.has_guard = guard && *guard;
    const auto unix_hooks = kernel_has_unix_hooks();
    facts.has_unix_hooks = unix_hooks && *unix_hooks;
    for (const char* program : {"podman", "crio", "dockerd", "crun", "runc"})
        if (auto version = program_version(program))
            facts.programs.push_back({program, std::move(*version)});
    collect_network(facts);
    return facts;
}

void read_machine(const Surroundings& surroundings, MachineFacts& facts) {
    if (facts.is_root && facts.load_failure.empty()) {
        collect_others_programs(facts);
        collect_running(facts);
    }
    if (auto settings = read_machine_settings())
        facts.settings = std::move(*settings);
    else
        facts.settings_failure = std::move(settings).error().message;
    collect_cgroup(facts);
    struct stat info {};
    facts.has_user_session =
        ::stat(fmt::format("/run/user/{}/bus", ::geteuid()).c_str(), &info) == 0 &&
        S_ISSOCK(info.st_mode);
    facts.broker = look_for_broker();
    facts.unread_drop_ins = drop_ins_of_old_unit();
    facts.jit = sysctl("/proc/sys/net/core/bpf_jit_enable");
    facts.unprivileged_bpf = sysctl("/proc/sys/kernel/unprivileged_bpf_disabled");
    collect_hooks(surroundings, facts);
    collect_docker(surroundings, facts);
}

Result<std::vector<std::string>> others_hooks_dirs() {
    std::vector<std::string> directories = {std::string(kDefaultHooksDir)};
    const auto files = TRY(settings_files({}, false));
    for (const std::string& file : files) {
        if (file.ends_with(kOwnSettings)) continue;
        const auto fd = TRY(open_if_there(AT_FDCWD, file, O_RDONLY));
        if (!fd) continue;
        const auto text = TRY(read_all(fd->get(), kMaxFile).context(quote(file)));
        const auto conf = TRY(parse_containers_conf(text).context(quote(file)));
        take_list(conf.hooks_dir, directories);
    }
    return directories;
}

}  // namespace jail_ai
