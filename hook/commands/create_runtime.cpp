// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See create_runtime.h.
#include "commands/create_runtime.h"

#include <fmt/format.h>
#include <syslog.h>

#include "base/quoted.h"
#include "container/state.h"
#include "jail/build.h"
#include "policy/risks.h"
#include "system/cgroup.h"
#include "system/container_facts.h"
#include "system/file.h"
#include "system/host_view.h"
#include "system/lsm.h"
#include "system/process.h"

namespace jail_ai {
namespace {

Result<ContainerState> read_state(int input) {
    auto text = read_all(input, kMaxStateBytes);
    if (!text) return std::move(text).error().context("read container state");
    auto state = parse_state(*text);
    if (!state) return std::move(state).error().context("container state");
    return state;
}

Status check_privilege() {
    auto initial = in_initial_user_namespace();
    if (!initial) return std::move(initial).error();
    if (!*initial)
        return Error{EX_NOPERM,
                     "the engine runs in a user namespace (rootless), where the kernel refuses BPF programs: run this container with root's podman"};
    return ok();
}

Line warn_of(const FoundRisk& found, const Request& request) {
    if (request.accepted.contains(found.risk))
        return {LOG_WARNING, fmt::format("the block may not hold, as accepted by {}: {}", risk_name(found.risk), found.what)};
    if (request.mode == Mode::audit) return {LOG_WARNING, fmt::format("the block would not hold: {}", found.what)};
    return {LOG_WARNING, fmt::format("left open: {}: {}, or accept it: {}={}", found.what, found.remedy, kAccept, risk_name(found.risk))};
}

// Refuses a container that can go round the block, unless it accepts by name what lets it, or is only watched.
Result<std::vector<Line>> judge_risks(const Process& process, const BundleFiles& files, const Request& request, Guard guard) {
    auto facts = read_container_facts(process, files.bundle, files.directory.get(), guard);
    if (!facts) return std::move(facts).error();
    std::vector<Line> warnings;
    for (const FoundRisk& found : find_risks(files.bundle, *facts)) {
        if (!request.accepted.contains(found.risk) && request.mode == Mode::enforce && found.refuses)
            return Error{EX_CONFIG, fmt::format("the block would not hold: {}: {}, or accept it: {}={}", found.what, found.remedy, kAccept,
                                                risk_name(found.risk))};
        warnings.push_back(warn_of(found, request));
    }
    return warnings;
}

// What this kernel has; where it has BPF LSM, the jail has its guard or there is no jail.
Result<Guard> choose_guard(const Process& process, const Request& request) {
    auto available = guard_is_available();
    if (!available) return std::move(available).error();
    if (*available) return Guard::lsm;
    auto shares_network = process.shares_namespace("net");
    if (!shares_network) return std::move(shares_network).error();
    const bool close_abstract = *shares_network && !request.accepted.contains(Risk::abstract_unix);
    return close_abstract && kernel_has_unix_hooks() ? Guard::unix_hooks : Guard::none;
}

Result<std::vector<Line>> jail_container(const ContainerState& state, const Request& request) {
    if (auto privileged = check_privilege(); !privileged) return std::move(privileged).error();
    auto process = Process::open(state.pid);
    if (!process) return std::move(process).error();
    auto cgroup = Cgroup::of(*process);
    if (!cgroup) return std::move(cgroup).error();
    auto files = BundleFiles::open(state.bundle);
    if (!files) return std::move(files).error();
    auto guard = choose_guard(*process, request);
    if (!guard) return std::move(guard).error();
    auto lines = judge_risks(*process, *files, request, *guard);
    if (!lines) return lines;
    auto host = read_host_view(*process, *files);
    if (!host) return std::move(host).error();
    auto policy = compile_policy(request, *host);
    if (!policy) return std::move(policy).error();
    auto jail = Jail::load(*policy, *guard, *cgroup);
    if (!jail) return std::move(jail).error();
    auto attachment = std::move(*jail).attach(*cgroup);
    if (!attachment) return std::move(attachment).error();
    if (auto still = cgroup->recheck(*process); !still) return std::move(still).error();
    attachment->keep();
    for (const std::string& moot : policy->moots) lines->push_back({LOG_NOTICE, moot});
    lines->push_back(
        {LOG_INFO, fmt::format("host {}: {} prefixes, {}, cgroup {}", request.mode == Mode::audit ? "watched, not blocked" : "blocked",
                               policy->rules.size(), *guard == Guard::lsm ? "guarded" : "no guard on this kernel", quoted(cgroup->path()))});
    return lines;
}

Result<Request> read_request(const ContainerState& state, const Defaults& defaults) {
    auto asked = parse_annotations(state.annotations);
    if (!asked) return std::move(asked).error();
    return join_settings(defaults, *asked);
}

}  // namespace

Result<std::vector<Line>> create_runtime(int input, const Defaults& defaults) {
    auto state = read_state(input);
    if (!state) return std::move(state).error();
    const std::string container = fmt::format("container {}", quoted(state->id));
    auto request = read_request(*state, defaults);
    if (!request) return std::move(request).error().context(container);
    if (request->mode == Mode::off) return std::vector{Line{LOG_INFO, container + ": host not blocked, as it asks"}};
    auto lines = jail_container(*state, *request);
    if (!lines && request->on_failure == OnFailure::run)
        return std::vector{Line{LOG_CRIT, fmt::format("{}: STARTS UNPROTECTED, as on-failure=run asks: {}", container, lines.error().message)}};
    if (!lines) return std::move(lines).error().context(container);
    for (Line& line : *lines) line.text.insert(0, container + ": ");
    return lines;
}

}  // namespace jail_ai
