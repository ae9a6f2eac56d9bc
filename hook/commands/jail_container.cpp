// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See jail_container.h.
#include "commands/jail_container.h"

#include <fmt/format.h>
#include <syslog.h>

#include "base/quote.h"
#include "jail/build.h"
#include "jail/reassembly.h"
#include "policy/inputs.h"
#include "system/cgroup_v1.h"
#include "system/lsm.h"

namespace jail_ai {
namespace {

Line warn_of(const FoundRisk& found, const Request& request) {
    if (request.accepted.contains(found.risk))
        return {LOG_WARNING, fmt::format("the block may not hold, as accepted by {}: {}", risk_name(found.risk), found.what)};
    if (request.mode == Mode::audit) return {LOG_WARNING, fmt::format("the block would not hold: {}", found.what)};
    return {LOG_WARNING, fmt::format("left open: {}: {}, or accept it: {}={}", found.what, found.remedy, kAccept, risk_name(found.risk))};
}

}  // namespace

Result<Guard> choose_guard(const Process& process, const Request& request) {
    auto available = TRY(guard_is_available());
    if (available) return Guard::lsm;
    auto shares_network = TRY(process.shares_namespace("net"));
    const bool close_abstract = shares_network && !request.accepted.contains(Risk::abstract_unix);
    return close_abstract && kernel_has_unix_hooks() ? Guard::unix_hooks : Guard::none;
}

Result<Judged> judge_risks(const Bundle& bundle, const ContainerFacts& facts, const Request& request) {
    Judged judged{};
    for (const FoundRisk& found : find_risks(bundle, facts)) {
        if (!request.accepted.contains(found.risk) && request.mode == Mode::enforce && found.refuses)
            return Error{EX_CONFIG, fmt::format("the block would not hold: {}: {}, or accept it: {}={}", found.what, found.remedy, kAccept,
                                                risk_name(found.risk))};
        judged.lines.push_back(warn_of(found, request));
        judged.open_routes |= 1U << static_cast<unsigned>(found.risk);
    }
    return judged;
}

Result<Jailed> jail_container(const KnownContainer& container, const Request& request, Existing existing) {
    TRY(check_cgroup_v1());
    auto host = TRY(read_host_view(container.process, container.names, container.bundle.network_path));
    ContainerFacts facts = container.facts;
    facts.forwards = host.forwards;
    facts.shares_network = host.shares_network;
    facts.loses_fragments = container.bundle.capabilities.contains("CAP_NET_RAW") && !kernel_keeps_sockets_of_fragments();
    auto judged = TRY(judge_risks(container.bundle, facts, request));
    Lines& lines = judged.lines;
    auto policy = TRY(compile_policy(request, host));
    for (std::string& warning : host.warnings) lines.push_back({LOG_WARNING, std::move(warning)});
    auto inputs = TRY(write_inputs({request, std::move(host)}));
    auto jail = TRY(Jail::load(policy, container.guard, container.cgroup, {container.id, judged.open_routes, inputs}));
    auto attachment = std::move(jail).attach(container.cgroup, existing);
    if (!attachment) return std::move(attachment).error();
    TRY(container.cgroup.recheck(container.process));
    for (const std::string& moot : policy.moots) lines.push_back({LOG_NOTICE, moot});
    lines.push_back({LOG_INFO, fmt::format("host {}: {} prefixes, {}, cgroup {}", request.mode == Mode::audit ? "watched, not blocked" : "blocked",
                                           policy.rules.size(), container.guard == Guard::lsm ? "guarded" : "no guard on this kernel",
                                           quote(container.cgroup.path()))});
    return Jailed{std::move(*attachment), std::move(lines)};
}

}  // namespace jail_ai
