// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See create_runtime.h.
#include "commands/create_runtime.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/quoted.h"
#include "container/bundle.h"
#include "container/request.h"
#include "container/state.h"
#include "jail/build.h"
#include "policy/name_files.h"
#include "policy/risks.h"
#include "system/cgroup.h"
#include "system/container_facts.h"
#include "system/file.h"
#include "system/process.h"
#include "system/routes.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxNameFile = 8u << 20;  // hosts files that block advertisers hold a few MB

Result<ContainerState> read_state(int input) {
    auto text = read_all(input, kMaxStateBytes);
    if (!text) return std::move(text).error().context("read container state");
    auto state = parse_state(*text);
    if (!state) return std::move(state).error().context("container state");
    return state;
}

// The bundle and what it mounts. Its paths come from the engine, which also opens them, with the same privileges.
struct BundleFiles {
    Bundle bundle;
    UniqueFd directory;
};

Result<BundleFiles> read_bundle(const std::string& path) {
    UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return system_error(fmt::format("open bundle {}", quoted(path)), errno, EX_NOINPUT);
    auto text = read_regular_file(directory.get(), "config.json", kMaxConfigBytes);
    if (!text) return std::move(text).error().context(fmt::format("bundle {}", quoted(path)));
    auto bundle = parse_bundle(*text);
    if (!bundle) return std::move(bundle).error().context(fmt::format("config.json of bundle {}", quoted(path)));
    return BundleFiles{std::move(*bundle), std::move(directory)};
}

// The text of a file that the container will see at `destination`; empty where nothing is mounted there or the engine will write it later.
Result<std::string> read_name_file(const BundleFiles& files, std::string_view destination) {
    const std::string* source = files.bundle.mounted_at(destination);
    if (source == nullptr || source->empty()) return std::string();
    auto text = read_regular_file(files.directory.get(), *source, kMaxNameFile);
    if (!text && text.error().exit_code == EX_NOINPUT) return std::string();
    if (!text) return std::move(text).error().context(fmt::format("the container's {}", destination));
    return text;
}

Result<HostView> view_host(const Process& process, const BundleFiles& files) {
    auto routes = read_local_routes();
    if (!routes) return std::move(routes).error();
    auto shares_network = process.shares_namespace("net");
    if (!shares_network) return std::move(shares_network).error();
    auto hosts = read_name_file(files, "/etc/hosts");
    if (!hosts) return std::move(hosts).error();
    auto resolv_conf = read_name_file(files, "/etc/resolv.conf");
    if (!resolv_conf) return std::move(resolv_conf).error();
    return HostView{std::move(*routes), *shares_network, host_addresses(*hosts), name_servers(*resolv_conf)};
}

Status check_privilege() {
    auto initial = in_initial_user_namespace();
    if (!initial) return std::move(initial).error();
    if (!*initial)
        return Error{EX_NOPERM,
                     "the engine runs in a user namespace (rootless), where the kernel refuses BPF programs: run this container with root's podman"};
    return ok();
}

// Refuses a container that can go round the block, unless it accepts by name what lets it. Gives the accepted ones, for the log.
Result<std::vector<std::string>> judge_risks(const Process& process, const BundleFiles& files, const Request& request) {
    auto facts = read_container_facts(process, files.bundle, files.directory.get());
    if (!facts) return std::move(facts).error();
    std::vector<std::string> accepted;
    for (const FoundRisk& found : find_risks(files.bundle, *facts)) {
        if (!request.accepted.contains(found.risk))
            return Error{EX_CONFIG, fmt::format("the block would not hold: {}: {}, or accept it: {}={}", found.what, found.remedy, kAccept,
                                                risk_name(found.risk))};
        accepted.push_back(fmt::format("the block may not hold, as accepted by {}: {}", risk_name(found.risk), found.what));
    }
    return accepted;
}

Result<Outcome> jail_container(const ContainerState& state, const Request& request) {
    if (auto privileged = check_privilege(); !privileged) return std::move(privileged).error();
    auto process = Process::open(state.pid);
    if (!process) return std::move(process).error();
    auto cgroup = Cgroup::of(*process);
    if (!cgroup) return std::move(cgroup).error();
    auto files = read_bundle(state.bundle);
    if (!files) return std::move(files).error();
    auto warnings = judge_risks(*process, *files, request);
    if (!warnings) return std::move(warnings).error();
    auto host = view_host(*process, *files);
    if (!host) return std::move(host).error();
    auto policy = compile_policy(request, *host);
    if (!policy) return std::move(policy).error();
    auto jail = Jail::load(*policy);
    if (!jail) return std::move(jail).error();
    auto attachment = std::move(*jail).attach(*cgroup);
    if (!attachment) return std::move(attachment).error();
    if (auto still = cgroup->recheck(*process); !still) return std::move(still).error();
    attachment->keep();
    return Outcome{fmt::format("host blocked: {} prefixes, cgroup {}", policy->rules.size(), quoted(cgroup->path())), std::move(*warnings)};
}

}  // namespace

Result<Outcome> create_runtime(int input) {
    auto state = read_state(input);
    if (!state) return std::move(state).error();
    const std::string container = fmt::format("container {}", quoted(state->id));
    auto request = parse_request(state->annotations);
    if (!request) return std::move(request).error().context(container);
    if (request->mode == Mode::off) return Outcome{fmt::format("{}: host not blocked, as its annotation asks", container), {}};
    auto outcome = jail_container(*state, *request);
    if (!outcome) return std::move(outcome).error().context(container);
    outcome->line = fmt::format("{}: {}", container, outcome->line);
    for (std::string& warning : outcome->warnings) warning = fmt::format("{}: {}", container, warning);
    return outcome;
}

}  // namespace jail_ai
