// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "explain": what would become of a destination, or the whole policy. A container that is named is
// seen as it is now, and asked for by its own annotations, which those of the question override;
// else it is one with a network of its own. Where nobody says whether to block, it is blocked.
#include <fmt/format.h>

#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/explain_arguments.h"
#include "commands/explanation.h"
#include "commands/verbs.h"
#include "engines/annotation_sources.h"
#include "engines/bundle_files.h"
#include "engines/container_lookup.h"
#include "engines/container_name_files.h"
#include "facts/host_view.h"
#include "jail/reader.h"
#include "system/cgroup_walk.h"
#include "system/process.h"
#include "system/routes.h"

namespace jail_ai {
namespace {

// What a container is asked for, what it sees, and who it is.
struct Subject {
    std::string name;
    Annotations annotations;
    HostView view;
    std::optional<Process> process;
};

Result<Subject> any_container() {
    Subject subject{"a container with a network of its own", {}, {}, std::nullopt};
    subject.view.routes = TRY(read_local_routes());
    return subject;
}

// `id` is the container's where `bundle` is known.
Result<Subject> running_container(pid_t pid, std::string name, const std::string& id,
                                  const std::string& bundle) {
    auto process = TRY(Process::open(pid));
    Annotations annotations;
    std::string network_path;
    if (!bundle.empty()) {
        auto files = TRY(BundleFiles::open(bundle));
        annotations = TRY(read_annotations(files.config.json()));
        network_path = files.bundle.network_path;
        TRY(ignore_others_annotations(annotations, id, bundle));
    }
    auto names = TRY(read_name_files(process));
    auto shares_network = TRY(process.shares_namespace("net"));
    auto view = TRY(read_host_view(process, names, network_path, shares_network));
    return Subject{std::move(name), std::move(annotations), std::move(view), std::move(process)};
}

Result<Subject> subject_of(const Question& question) {
    if (question.pid)
        return running_container(*question.pid, fmt::format("process {}", *question.pid), {}, {});
    if (question.container.empty()) return any_container();
    auto found = TRY(find_container(question.container));
    return running_container(found.pid, fmt::format("container {}", quote(found.id)), found.id,
                             found.bundle);
}

Result<Request> request_of(const Question& question, const Annotations& annotations) {
    Annotations all = annotations;
    for (const auto& [key, value] : question.annotations) all[key] = value;
    return join_or_block(question.defaults, all);
}

Result<std::optional<JailSnapshot>> jail_of(const Process& process) {
    auto cgroups = TRY(cgroups_of(process));
    for (const NamedCgroup& cgroup : cgroups) {
        auto jail = TRY(read_jail(cgroup.fd.get(), JailPart::policy)
                            .context(fmt::format("cgroup {}", quote(cgroup.path))));
        if (!jail) continue;
        jail->cgroup = cgroup.path;
        return jail;
    }
    return std::optional<JailSnapshot>();
}

Result<Outcome> explain(const Arguments& arguments, const Caller& /*caller*/) {
    const auto question = TRY(read_question(arguments));
    auto subject = TRY(subject_of(question));
    auto request = TRY(request_of(question, subject.annotations));
    auto policy = TRY(compile_policy(request, subject.view));
    Explanation explanation{std::move(subject.name),     question.destination, std::move(policy),
                            subject.process.has_value(), std::nullopt,         {}};
    if (subject.process) explanation.jail = TRY(jail_of(*subject.process));
    if (explanation.jail)
        explanation.differences =
            find_differences(explanation.jail->policy->rules, explanation.policy.rules);
    return Outcome{
        question.json ? explain_to_machines(explanation) : explain_to_people(explanation), {}};
}

}  // namespace

const Verb kExplain{
    .name = "explain",
    .summary = "says what would become of a destination, and why; or the whole policy",
    .about = "DESTINATION is ADDRESS[:PORT][/tcp|/udp]; without one the whole policy, as a table.",
    .options = kExplainOptions,
    .takes_settings = true,
    .words = kExplainWords,
    .run = explain,
};

}  // namespace jail_ai
