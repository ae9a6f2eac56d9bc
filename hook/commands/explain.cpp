// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "explain": what would become of a destination, or the whole policy. A container that is named is
// seen as it is now, and asked for by its own annotations, which those of the question override;
// else it is one with a network of its own. If neither says whether to block, it is treated as
// jailed.
#include <fmt/format.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/explain_arguments.h"
#include "commands/explanation.h"
#include "commands/jail_view.h"
#include "commands/verbs.h"
#include "container/container_id.h"
#include "engines/annotation_sources.h"
#include "engines/bundle_files.h"
#include "engines/container_lookup.h"
#include "engines/container_name_files.h"
#include "engines/deferred_network.h"
#include "facts/network_facts.h"
#include "jail/reader.h"
#include "policy/inputs.h"
#include "sandbox/sandbox.h"
#include "system/cgroup_walk.h"
#include "system/process.h"
#include "system/routes.h"

namespace jail_ai {
namespace {

// The container that is named, or whatever a process is in; with neither PID 0.
Result<RunningContainer> container_meant(const Question& question) {
    if (question.pid) return RunningContainer{.pid = *question.pid};
    if (question.container.empty()) return RunningContainer{};
    return find_container(question.container);
}

std::string called(const RunningContainer& container) {
    if (container.pid == 0) return "a container with a network of its own";
    if (container.id.empty()) return fmt::format("process {}", container.pid);
    return container_text(container.id);
}

Result<Request> request_of(const Question& question, Annotations annotations) {
    for (const auto& [key, value] : question.annotations) annotations[key] = value;
    return join_or_block(question.defaults, annotations);
}

Result<PolicyInputs> inputs_of_any(const Question& question) {
    PolicyInputs inputs;
    inputs.host.routes = TRY(read_local_routes());
    TRY(predict_gateways(inputs.host));
    inputs.request = TRY(request_of(question, {}));
    return inputs;
}

Result<PolicyInputs> inputs_of(const RunningContainer& container, const Process& process,
                               const Question& question) {
    Annotations annotations;
    std::string network_path;
    if (!container.bundle.empty()) {
        auto files = TRY(BundleFiles::open(container.bundle));
        annotations = TRY(read_annotations(files.config.json()));
        network_path = files.bundle.network_path;
        TRY(ignore_others_annotations(annotations, container.id, container.bundle));
    }
    auto names = TRY(read_name_files(process));
    const bool shares_network = TRY(process.shares_namespace("net"));
    auto host = TRY(read_network_facts(process, names, network_path, shares_network));
    auto request = TRY(request_of(question, std::move(annotations)));
    return PolicyInputs{std::move(request), std::move(host)};
}

Result<std::optional<JailSnapshot>> jail_of(const Process& process) {
    auto cgroups = TRY(cgroups_of(process));
    for (const NamedCgroup& cgroup : cgroups) {
        auto jail = TRY(read_jail(cgroup.fd.get(), JailPart::policy)
                            .context(fmt::format("cgroup {}", quote(cgroup.path))));
        if (!jail) continue;
        if (!jail->policy) return of_another_version();
        jail->cgroup = cgroup.path;
        return jail;
    }
    return std::optional<JailSnapshot>();
}

std::string explanation_text(const Question& question, const Explanation& explanation) {
    return question.json ? explain_to_machines(explanation) : explain_to_people(explanation);
}

// A user's own container, by its jail alone: by the broker, which reads none of its files.
Result<std::string> explain_own(const Arguments& asked, const std::vector<JailSnapshot>& jails) {
    const auto question = TRY(read_question(asked));
    if (jails.size() != 1)
        return Error{EX_USAGE, fmt::format("--container {}: expected one container, got {}",
                                           quote(question.container), jails.size())};
    const JailSnapshot& jail = jails.front();
    const auto inputs = TRY(inputs_of(jail, TRY(read_local_routes())));
    auto policy = TRY(compile_policy(inputs.request, inputs.host));
    auto differences = find_differences(jail.policy->rules, policy.rules);
    return explanation_text(
        question, {container_text(jail.container_id()), question.destination, std::move(policy),
                   true, jail, std::move(differences), std::string(jail.container_id())});
}

std::vector<std::string> containers_of(const Arguments& asked) {
    const std::string* container = asked.value("--container");
    return container == nullptr ? std::vector<std::string>() : std::vector{*container};
}

Result<Outcome> explain(const Arguments& arguments, const Caller& /*caller*/) {
    const auto question = TRY(read_question(arguments));
    if (question.pid && ::geteuid() != 0) return only_root_may("look at any process");
    if (!question.container.empty() && ::geteuid() != 0) {
        if (!arguments.flags.empty() || !question.annotations.empty())
            return only_root_may("ask what other settings would do to a container that runs");
        return show_jails(kExplainView, arguments);
    }
    TRY(confine(Role::explain));
    const auto container = TRY(container_meant(question));
    std::optional<Process> process;
    if (container.pid != 0) process.emplace(TRY(Process::open(container.pid)));
    const auto inputs =
        TRY(process ? inputs_of(container, *process, question) : inputs_of_any(question));
    auto policy = TRY(compile_policy(inputs.request, inputs.host));
    Explanation explanation{called(container),   question.destination, std::move(policy),
                            process.has_value(), std::nullopt,         {},
                            container.id};
    if (process) explanation.jail = TRY(jail_of(*process));
    if (explanation.jail)
        explanation.differences =
            find_differences(explanation.jail->policy->rules, explanation.policy.rules);
    return Outcome{explanation_text(question, explanation), {}};
}

}  // namespace

const JailView kExplainView{kExplain, Role::explain, explain_own, JailPart::policy, containers_of};

const Verb kExplain{
    .name = "explain",
    .summary = "shows whether a destination would be denied, and why; or the whole policy",
    .about =
        "DESTINATION is ADDRESS[:PORT][/tcp|/udp]; without one the whole policy, as a table.\n"
        "Another user than root may name a container of their own, by the broker.",
    .options = kExplainOptions,
    .takes_settings = true,
    .words = kExplainWords,
    .deadline = kVerifyDeadlineSeconds,
    .run = explain,
};

}  // namespace jail_ai
