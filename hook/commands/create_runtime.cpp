// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "createRuntime": engines call it while a container exists and its process has not started. Where
// that asks for the block, its cgroup is jailed; if the caller is not root of the machine but of
// a user namespace (a rootless engine's hook), through the broker. On failure nothing is attached
// and the engine must not start the container, unless it asks by on-failure=run to be started all
// the same; then the log says so at LOG_CRIT.
#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <optional>

#include "base/deadline.h"
#include "base/quote.h"
#include "commands/if_asked.h"
#include "commands/jail_by_broker.h"
#include "commands/jail_container.h"
#include "commands/verbs.h"
#include "container/asking.h"
#include "container/container_id.h"
#include "container/json_writer.h"
#include "container/state.h"
#include "engines/annotation_authors.h"
#include "engines/annotation_sources.h"
#include "engines/bundle_files.h"
#include "engines/container_names.h"
#include "engines/network_stack.h"
#include "facts/container_facts.h"
#include "sandbox/sandbox.h"
#include "system/file.h"

namespace jail_ai {
namespace {

Result<Request> read_request(const ContainerState& state, const Defaults& defaults) {
    auto asked = TRY(parse_annotations(state.annotations));
    return join_settings(defaults, asked);
}

// An engine that gives only the user's annotations to a container would not have
// called the hook.
bool only_others_ask(const ContainerState& state, const Defaults& defaults,
                     const IgnoredAnnotations& ignored) {
    return !ignored.empty() && !asks_something(state.annotations) && !defaults.settings.mode;
}

// The state for the broker, which sees no file of the user's and takes annotations as they are
// there.
std::string state_text(const ContainerState& state) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    put(writer, "id", state.id);
    put(writer, "pid", static_cast<std::uint64_t>(state.pid));
    put(writer, "bundle", state.bundle);
    writer.Key("annotations");
    writer.StartObject();
    for (const auto& [key, value] : state.annotations) put(writer, key, value);
    writer.EndObject();
    writer.EndObject();
    return line_of(buffer);
}

// With the name that its engine calls it by, if that is known.
std::string named(const std::string& container, const std::string& id) {
    const auto runtime = Process::open(::getppid());
    const std::string name = runtime ? engine_name(*runtime, id) : std::string();
    return name.empty() ? container : fmt::format("{} ({})", container, name);
}

// It has the container's network made by the kernel, as far as anybody knows.
std::optional<LogLine> warn_of_runtime() {
    const auto runtime = Process::open(::getppid());
    const std::string name = runtime ? unknown_runtime(*runtime) : std::string();
    if (name.empty()) return std::nullopt;
    return LogLine{LOG_WARNING, fmt::format("runtime {} is not known: if it has a network stack of "
                                            "its own, the block has no effect: use crun or runc",
                                            quote(name))};
}

Result<Container> container_of(const ContainerState& state) {
    auto process = TRY(Process::open(state.pid));
    TRY(check_network_stack(process, state.annotations));
    auto cgroup = TRY(Cgroup::for_hook(process, ::getppid()));
    auto files = TRY(BundleFiles::open(state.bundle));
    auto names = TRY(files.read_name_files());
    const bool shares_network = TRY(process.shares_namespace("net"));
    const bool is_restored = cgroup.has_restorer();
    return Container{state.id,
                     std::move(process),
                     std::move(cgroup),
                     std::move(files),
                     std::move(names),
                     shares_network,
                     is_restored ? std::nullopt : std::optional(::getppid()),
                     is_restored ? Mounts::pending : Mounts::made};
}

Result<LogLines> jail_here(const ContainerState& state, const Request& request) {
    const auto container = TRY(container_of(state));
    auto jailed = TRY(jail(container, request, Existing::replace));
    jailed.attachment.keep();
    return std::move(jailed.lines);
}

Result<LogLines> jail_as_asked(const ContainerState& state, std::string text,
                               const IgnoredAnnotations& ignored, const Arguments& arguments,
                               bool is_root) {
    if (only_others_ask(state, arguments.defaults, ignored))
        return LogLines{{LOG_INFO, "not jailed: no annotation and no default asks for it"}};
    auto request = TRY(read_request(state, arguments.defaults));
    if (request.mode == Mode::off) return LogLines{{LOG_INFO, "not jailed: block-host=false"}};
    auto [lines, is_final] = is_root ? BrokerOutcome{jail_here(state, request), false}
                                     : jail_by_broker(state, std::move(text), request, arguments);
    if (!lines && request.on_failure == OnFailure::run && !is_final)
        return LogLines{{LOG_CRIT, fmt::format("STARTS UNPROTECTED, as on-failure=run asks: {}",
                                               lines.error().message)}};
    if (auto warning = lines ? warn_of_runtime() : std::nullopt)
        lines->insert(lines->begin(), std::move(*warning));
    return std::move(lines);
}

Result<Outcome> create_runtime(const Arguments& arguments, const Caller& /*caller*/) {
    auto text =
        TRY(read_all(STDIN_FILENO, kMaxStateBytes).context("read the state of the container"));
    if (is_left_alone(arguments, text)) return Outcome{};
    const bool is_root = TRY(in_initial_user_namespace());
    TRY(confine(is_root ? Role::create_runtime : Role::ask_broker));
    const auto json = TRY(parse_json_object(text).context("state of the container"));
    if (is_left_alone(arguments, json)) return Outcome{};
    auto state = TRY(parse_state(json).context("state of the container"));
    const std::string container = container_text(state.id);
    auto ignored = TRY(
        ignore_others_annotations(state.annotations, state.id, state.bundle).context(container));
    auto lines = jail_as_asked(state, ignored.empty() ? std::move(text) : state_text(state),
                               ignored, arguments, is_root);
    if (!lines) {
        Error error = std::move(lines).error().context(named(container, state.id));
        for (const std::string& note : ignored) error.message += fmt::format("; {}", note);
        return error;
    }
    for (const std::string& note : ignored) lines->insert(lines->begin(), {LOG_WARNING, note});
    for (LogLine& line : *lines) line.text.insert(0, container + ": ");
    return Outcome{{}, std::move(*lines)};
}

constexpr Option kOptions[] = {
    kIfAsked,
    {kBrokerOption, "PATH", "the broker's socket, for rootless engines: /run/jail-ai-hook.sock"}};

}  // namespace

const Verb kCreateRuntime{
    .name = "createRuntime",
    .summary = "called by podman, crun, runc or CRI-O: keeps the container from the host",
    .about =
        "Reads the container's state (OCI runtime-spec) from standard input and keeps the "
        "container from the\n"
        "machine that it runs on. A failure rejects the container; it is reported on stderr and in "
        "syslog.",
    .called_by = CalledBy::engines,
    .options = kOptions,
    .takes_settings = true,
    .deadline = kDeadlineSeconds,
    .run = create_runtime,
};

}  // namespace jail_ai
