// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/jail_container.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <syslog.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/quote.h"
#include "engines/container_names.h"
#include "engines/docker_name.h"
#include "facts/container_facts.h"
#include "jail/build.h"
#include "jail/reassembly.h"
#include "policy/inputs.h"
#include "system/cgroup_v1.h"
#include "system/lsm.h"

namespace jail_ai {
namespace {

// By what a risk of it can be accepted.
std::string_view accept_setting(const Bundle& bundle) {
    return bundle.of_process ? "--accept" : kAccept;
}

LogLine warn_of(const FoundRisk& found, const Bundle& bundle, const Request& request) {
    if (request.accepted.contains(found.risk))
        return {LOG_WARNING,
                fmt::format("accepted risk {}: {}", risk_name(found.risk), found.what)};
    const std::string_view outcome = request.mode == Mode::audit && found.is_fatal
                                         ? "would be rejected, were it not an audit"
                                         : "left open";
    return {LOG_WARNING, fmt::format("{}: {}: {}, or set {}={}", outcome, found.what, found.remedy,
                                     accept_setting(bundle), risk_name(found.risk))};
}

// All of them in one message, with one setting to paste.
Error rejection_for(const Bundle& bundle, const std::vector<FoundRisk>& fatal) {
    std::vector<std::string> texts;
    std::vector<std::string_view> names;
    for (const FoundRisk& found : fatal) {
        texts.push_back(fmt::format("{}: {}", found.what, found.remedy));
        if (std::ranges::find(names, risk_name(found.risk)) == names.end())
            names.push_back(risk_name(found.risk));
    }
    const std::string_view quotes = names.size() == 1 ? "" : "'";  // podman 4.3 splits at commas
    return {EX_CONFIG, fmt::format("container could bypass the block: {}; or set {}={}{}{}",
                                   fmt::join(texts, "; "), accept_setting(bundle), quotes,
                                   fmt::join(names, " "), quotes)};
}

// What closes the routes that no network hook sees: if this kernel has BPF LSM, the jail has its
// guard or there is no jail.
Result<Guard> choose_guard(const Container& container, const Request& request) {
    if (TRY(guard_is_available())) return Guard::lsm;
    const bool close_abstract =
        container.shares_network && !request.accepted.contains(Risk::abstract_unix);
    if (!close_abstract) return Guard::none;
    const bool has_hooks = TRY(kernel_has_unix_hooks());
    return has_hooks ? Guard::unix_hooks : Guard::none;
}

Result<NetworkFacts> read_network_facts(const Container& container) {
    return read_network_facts(container.process, container.names,
                              container.files.bundle.network_path, container.shares_network);
}

void add_network(ContainerFacts& facts, const Bundle& bundle, const NetworkFacts& host) {
    facts.forwards = host.forwards;
    facts.shares_network = host.shares_network;
    facts.loses_fragments =
        bundle.capabilities.contains("CAP_NET_RAW") && !kernel_keeps_sockets_of_fragments();
}

// As its monitor (conmon) has it, which ends with the container, or root's Docker. Empty if
// unknown.
std::string name_of(const Container& container) {
    std::string name;
    if (container.runtime.value_or(0) == 0)
        name = engine_name(container.process, container.id);
    else if (const auto runtime = Process::open(*container.runtime))
        name = engine_name(*runtime, container.id);
    return name.empty() ? docker_name(container.files, container.id, 0) : name;
}

LogLines lines_of(LogLines risks, const NetworkFacts& host, const Policy& policy, Guard guard,
                  const Cgroup& cgroup) {
    LogLines lines = std::move(risks);
    for (const std::string& warning : host.warnings) lines.push_back({LOG_WARNING, warning});
    for (const std::string& unused : policy.unused_allow_rules)
        lines.push_back({LOG_NOTICE, unused});
    lines.push_back(
        {LOG_INFO, fmt::format("{} {} prefixes, {}, cgroup {}",
                               policy.mode == Mode::audit ? "audit only: counts" : "jailed: denies",
                               policy.rules.size(), guard == Guard::lsm ? "guarded" : "no BPF LSM",
                               quote(cgroup.path()))});
    return lines;
}

}  // namespace

Result<Jailed> jail(const Container& container, const Request& request, Existing existing) {
    TRY(check_cgroup_v1());
    const Guard guard = TRY(choose_guard(container, request));
    ContainerFacts facts = TRY(read_container_facts(container, guard));
    const NetworkFacts host = TRY(read_network_facts(container));
    add_network(facts, container.files.bundle, host);
    CheckedRisks checked = TRY(check_risks(container.files.bundle, facts, request));
    const Policy policy = TRY(compile_policy(request, host));
    const std::string inputs = TRY(write_inputs({request, host}));
    const JailMetadata metadata{container.id, name_of(container), checked.risks, inputs};
    Jail loaded = TRY(Jail::load(policy, guard, container.cgroup, metadata));
    Attachment attachment = TRY(std::move(loaded).attach(container.cgroup, existing));
    TRY(container.cgroup.recheck(container.process));
    LogLines lines = lines_of(std::move(checked.lines), host, policy, guard, container.cgroup);
    return Jailed{std::move(attachment), std::move(lines)};
}

Result<CheckedRisks> check_risks(const Bundle& bundle, const ContainerFacts& facts,
                                 const Request& request) {
    CheckedRisks checked{};
    std::vector<FoundRisk> fatal;
    for (FoundRisk& found : find_risks(bundle, facts)) {
        if (!request.accepted.contains(found.risk) && request.mode == Mode::enforce &&
            found.is_fatal) {
            fatal.push_back(std::move(found));
            continue;
        }
        checked.lines.push_back(warn_of(found, bundle, request));
        checked.risks |= 1U << static_cast<unsigned>(found.risk);
    }
    if (!fatal.empty()) return rejection_for(bundle, fatal);
    return checked;
}

}  // namespace jail_ai
