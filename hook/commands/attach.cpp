// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "attach" and "detach": jails a cgroup or container that no engine has called the hook for, and
// ends that. What is attached is checked as the hook would have, and takes the place of the jail
// that is there. What a container's annotations say comes to the settings.
#include <fcntl.h>
#include <fmt/format.h>
#include <syslog.h>

#include <algorithm>
#include <iterator>

#include "base/deadline.h"
#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/jail_container.h"
#include "commands/verbs.h"
#include "container/cgroup_path.h"
#include "container/container_id.h"
#include "engines/annotation_sources.h"
#include "engines/bundle_files.h"
#include "engines/container_lookup.h"
#include "engines/container_name_files.h"
#include "engines/network_stack.h"
#include "facts/container.h"
#include "jail/attachment.h"
#include "jail/connections.h"
#include "sandbox/sandbox.h"
#include "system/cgroup_walk.h"

namespace jail_ai {
namespace {

constexpr std::string_view kPid = "--pid", kCgroup = "--cgroup", kContainer = "--container";

std::string called(std::string_view id) {
    return container_text(id);
}

// A container that runs, as its config.json has it if that is known to be root's, and else as
// its process. The name is kept with the jail, as the runtime's id is.
Result<Container> running(std::string name, Process process, Cgroup cgroup,
                          const std::string& bundle) {
    auto files = TRY(bundle.empty() ? BundleFiles::of_process(process) : BundleFiles::open(bundle));
    auto names = TRY(bundle.empty() ? read_name_files(process) : files.read_name_files());
    const bool shares_network = TRY(process.shares_namespace("net"));
    return Container{std::move(name),  std::move(process), std::move(cgroup), std::move(files),
                     std::move(names), shares_network,     std::nullopt,      Mounts::entered};
}

// A process, or the first one of a container.
Result<RunningContainer> process_meant(std::string_view kind, const std::string& word) {
    if (kind == kContainer) return find_container(word);
    const pid_t pid = TRY(parse_pid(kPid, word));
    return RunningContainer{.id = fmt::format("pid-{}", word), .pid = pid};
}

Result<Container> container_meant(const Arguments& arguments) {
    const auto& [kind, word] = arguments.options.front();
    if (kind == kCgroup) {
        auto cgroup = TRY(Cgroup::from_path(word));
        auto process = TRY(cgroup.some_process());
        const std::string name = unit_or_cgroup(cgroup.path());
        return running(name, std::move(process), std::move(cgroup), {}).context(called(name));
    }
    const auto found = TRY(process_meant(kind, word));
    auto process = TRY(Process::open(found.pid));
    auto cgroup = TRY(Cgroup::for_pid_namespace(process));
    return running(found.id, std::move(process), std::move(cgroup), found.bundle)
        .context(called(found.id));
}

// Those that count. `lines` gets what the log is to say of the others.
Result<Annotations> annotations_of(const Container& container, LogLines& lines) {
    if (container.files.path.empty()) return Annotations();
    auto annotations = TRY(read_annotations(container.files.config.json()));
    auto ignored = TRY(ignore_others_annotations(annotations, container.id, container.files.path));
    for (std::string& note : ignored) lines.push_back({LOG_WARNING, std::move(note)});
    return annotations;
}

Result<Request> join_request(const Annotations& annotations, const Defaults& defaults) {
    auto request = TRY(join_or_block(defaults, annotations));
    if (request.mode == Mode::off)
        return Error{EX_CONFIG, fmt::format("{}=false: nothing to attach", kBlockHost)};
    return request;
}

// The jail holds either way: nothing of these connections leaves any more.
void end_connections_from_before(int cgroup_fd, LogLines& lines) {
    auto ended = end_blocked_connections(cgroup_fd);
    if (!ended)
        lines.push_back(
            {LOG_WARNING, fmt::format("connections to the host from before are cut, but programs "
                                      "that have them may wait for answers: {}",
                                      ended.error().message)});
    else if (*ended != 0)
        lines.push_back(
            {LOG_NOTICE, fmt::format("{} connections to the host from before ended", *ended)});
}

Result<LogLines> jail_running(const Container& container, const Defaults& defaults) {
    LogLines lines;
    auto annotations = TRY(annotations_of(container, lines));
    auto request = TRY(join_request(annotations, defaults));
    TRY(check_network_stack(container.process, annotations));
    auto jailed = TRY(jail(container, request, Existing::replace));
    jailed.attachment.keep();
    end_connections_from_before(container.cgroup.fd(), jailed.lines);
    std::ranges::move(jailed.lines, std::back_inserter(lines));
    lines.push_back({LOG_NOTICE,
                     "attached to a running container: non-IP sockets that it holds stay open; DNS "
                     "is allowed to the servers in its own resolv.conf (--dns=off to deny)"});
    return lines;
}

// The cgroups in question, the innermost first.
Result<std::vector<NamedCgroup>> cgroups_meant(const Arguments& arguments) {
    const auto& [kind, word] = arguments.options.front();
    if (kind == kCgroup) {
        auto cgroup = TRY(Cgroup::from_path(word));
        std::vector<NamedCgroup> one;
        one.push_back({UniqueFd(::fcntl(cgroup.fd(), F_DUPFD_CLOEXEC, 0)), cgroup.path()});
        return one;
    }
    const auto found = TRY(process_meant(kind, word));
    auto process = TRY(Process::open(found.pid));
    return cgroups_of(process);
}

Result<Outcome> attach(const Arguments& arguments, const Caller& /*caller*/) {
    TRY(confine(Role::attach));
    const auto container = TRY(container_meant(arguments));
    const std::string who = called(container.id);
    auto lines = TRY(jail_running(container, arguments.defaults).context(who));
    for (LogLine& line : lines) line.text.insert(0, who + ": ");
    return Outcome{{}, std::move(lines)};
}

Result<Outcome> detach(const Arguments& arguments, const Caller& /*caller*/) {
    TRY(confine(Role::detach));
    auto cgroups = TRY(cgroups_meant(arguments));
    for (const NamedCgroup& cgroup : cgroups) {
        auto detached = detach_jail(cgroup.fd.get());
        if (!detached)
            return std::move(detached).error().context(
                fmt::format("cgroup {}", quote(cgroup.path)));
        if (*detached != 0)
            return Outcome{
                {},
                {{LOG_WARNING,
                  fmt::format("cgroup {}: {} programs detached, the host is no longer denied there",
                              quote(cgroup.path), *detached)}}};
    }
    return Error{EX_NOINPUT, "no jail attached to that cgroup: see 'jail-ai-hook status'"};
}

constexpr Option kTargets[] = {
    {kPid, "PID", "the cgroup that the process is in", Use::must_one_of},
    {kCgroup, "DIRECTORY", "of a cgroup2 file system", Use::must_one_of},
    {kContainer, "ID", "a container that runs: ID, the beginning of it, or name", Use::must_one_of},
};

}  // namespace

const Verb kAttach{
    .name = "attach",
    .summary = "jails a running process, cgroup or container",
    .about = "For engines without hooks, restored containers, services of systemd.",
    .options = kTargets,
    .takes_settings = true,
    .only_root_may = "attach",
    .deadline = kVerifyDeadlineSeconds,
    .run = attach,
};

const Verb kDetach{
    .name = "detach",
    .summary = "removes a jail: its container reaches the host again",
    .about = "What its sockets send from then on is allowed.",
    .options = kTargets,
    .only_root_may = "detach",
    .deadline = kShowDeadlineSeconds,
    .run = detach,
};

}  // namespace jail_ai
