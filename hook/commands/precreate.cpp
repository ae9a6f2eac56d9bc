// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "precreate": podman calls it before it starts the runtime, to have the container's config.json
// changed. Where annotations, or else the administrator, ask for the block, the container gets a
// notice of it (container/notice.h); and if the guard will not be there to stop sockets of other
// kinds, it drops these (seccomp/tighten.h). Otherwise it gives back what it got. With --add-hook,
// which the verb runtime gives it for engines without hooks, createRuntime is added to the hooks of
// such a container. On failure the engine must not start the container, unless it asks by
// on-failure=run to be started anyway.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <syslog.h>
#include <unistd.h>

#include <optional>

#include "base/deadline.h"
#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/if_asked.h"
#include "commands/jail_container.h"
#include "commands/precreate_options.h"
#include "commands/verbs.h"
#include "container/asking.h"
#include "container/bundle.h"
#include "container/config.h"
#include "container/container_id.h"
#include "container/hook_entry.h"
#include "container/notice.h"
#include "container/state.h"
#include "policy/risks.h"
#include "sandbox/sandbox.h"
#include "seccomp/tighten.h"
#include "system/file.h"
#include "system/lsm.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// A config.json doesn't hold the container's ID. Its cgroup ends in it: "machine.slice:libpod:ID",
// "/libpod_parent/libpod-ID".
std::string container_name(const rapidjson::Value& config) {
    const auto linux_part = find_object(config, "linux");
    if (!linux_part || *linux_part == nullptr) return container_text({});
    const auto path = find_string(**linux_part, "cgroupsPath");
    if (!path || *path == nullptr) return container_text({});
    const std::string_view whole = string_of(**path);
    return container_text(whole.substr(whole.find_last_of(":-/") + 1));
}

// Nothing if no source asks for the block: podman calls this for whatever container its JSON
// matches.
Result<std::optional<Request>> read_request(const rapidjson::Value& config,
                                            const Defaults& defaults) {
    auto annotations = TRY(read_annotations(config));
    if (!asks_something(annotations) && !defaults.settings.mode) return std::optional<Request>();
    auto settings = TRY(parse_annotations(annotations));
    auto request = TRY(join_settings(defaults, settings));
    return std::optional(std::move(request));
}

Result<Outcome> tighten_container(const Config& config, const Request& request) {
    if (TRY(guard_is_available())) return Outcome{config.text(), {}};
    auto tightened = tighten(config.json(), config.text(), request.accepted);
    if (!tightened) return std::move(tightened).error();
    Outcome proposal{std::move(tightened->config), {}};
    for (const std::string& way : tightened->left_open)
        proposal.lines.push_back({LOG_WARNING, fmt::format("left open: {}", way)});
    if (!tightened->taken.empty())
        proposal.lines.push_back(
            {LOG_INFO, fmt::format("dropped: {}", fmt::join(tightened->taken, "; "))});
    return proposal;
}

// Engines' sockets by name. Another source, or one that can't be looked at from here, is left to
// createRuntime.
std::vector<BoundPath> bound_sockets(const Bundle& bundle) {
    std::vector<BoundPath> sockets;
    for (const Mount& mount : bundle.mounts) {
        if (!mount.is_bind() || !is_engine_socket(mount.source)) continue;
        struct stat info {};
        if (::stat(mount.source.c_str(), &info) == 0 && S_ISSOCK(info.st_mode))
            sockets.push_back(
                {.source = mount.source, .destination = mount.destination, .is_socket = true});
    }
    return sockets;
}

// What config.json alone shows is rejected here: podman shows how it has called this, and where the
// reason is to be found, while of createRuntime crun shows nothing but the exit code.
Status check_config(const Config& config, const Request& request, bool in_user_namespace) {
    const auto bundle = TRY(parse_bundle(config.json()).context("proposed config.json"));
    ContainerFacts facts{};
    facts.in_user_namespace = in_user_namespace || bundle.namespaces.contains("user");
    facts.shares_cgroup_namespace = !bundle.namespaces.contains("cgroup");
    facts.sees_other_processes = !bundle.namespaces.contains("pid");
    facts.binds = bound_sockets(bundle);
    TRY(check_risks(bundle, facts, request));
    return ok();
}

// Returns the file if the container can have it, whichever user its root is: each directory on the
// way and the file itself are open to all. Else an empty path.
std::string readable_file(const std::string* asked) {
    if (asked == nullptr || !asked->starts_with('/')) return {};
    for (std::size_t end = asked->find('/', 1); end != std::string::npos;
         end = asked->find('/', end + 1)) {
        struct stat directory {};
        if (::stat(asked->substr(0, end).c_str(), &directory) != 0 ||
            (directory.st_mode & S_IXOTH) == 0)
            return {};
    }
    struct stat file {};
    const bool is_readable = ::stat(asked->c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
                             (file.st_mode & S_IROTH) != 0;
    return is_readable ? *asked : std::string();
}

// A relative root is one of the working directory, which the verb runtime makes the bundle.
RootFiles root_files(const Bundle& bundle) {
    struct statvfs file_system {};
    const bool is_read_only =
        ::statvfs(bundle.root.c_str(), &file_system) == 0 && (file_system.f_flag & ST_RDONLY) != 0;
    return is_read_only ? RootFiles::read_only : RootFiles::writable;
}

// One that can't be looked at is taken for its own.
bool shares_network(const Bundle& bundle) {
    if (!bundle.namespaces.contains("network")) return true;
    struct stat its {};
    const auto ours = current_network_namespace();
    return ours && ::stat(bundle.network_path.c_str(), &its) == 0 && its.st_ino == *ours;
}

// What to tell the container is allowed on the machine: in a network of its own, loopback is its
// own, too.
Request request_to_tell(Request request, const Bundle& bundle) {
    if (!shares_network(bundle))
        std::erase_if(request.allow, [](const AllowRule& rule) {
            return rule.destination && rule.destination->is_loopback();
        });
    return request;
}

Result<Outcome> propose(const Config& config, const Request& request,
                        const std::string& notice_file) {
    auto proposal = TRY(tighten_container(config, request));
    if (request.notice == Notice::off) return proposal;
    const auto tightened = TRY(Config::parse(std::move(proposal.text)));
    const auto bundle = TRY(parse_bundle(tightened.json()).context("proposed config.json"));
    proposal.text =
        TRY(add_notice(tightened.json(), tightened.text(), request_to_tell(request, bundle),
                       notice_file, root_files(bundle)));
    return proposal;
}

Result<Outcome> drop_risks(const Config& config, const Request& request, bool in_user_namespace,
                           const std::string& notice_file) {
    if (request.mode != Mode::enforce) return Outcome{config.text(), {}};
    // With on-failure=run createRuntime reports them.
    if (request.on_failure == OnFailure::refuse)
        TRY(check_config(config, request, in_user_namespace));
    auto proposal = propose(config, request, notice_file);
    if (!proposal && request.on_failure == OnFailure::run)
        return Outcome{config.text(),
                       {{LOG_CRIT, fmt::format("STARTS AS IT IS, as on-failure=run asks: {}",
                                               proposal.error().message)}}};
    return proposal;
}

// The hook that an engine adds which reads the installed JSON, with the flags of this verb.
Result<std::string> add_hook(std::string config, const Arguments& arguments) {
    HookEntry hook{TRY(read_link(AT_FDCWD, "/proc/self/exe")),
                   {"jail-ai-hook", kCreateRuntime.name.data(), kIfAsked.name.data()}};
    hook.arguments.insert(hook.arguments.end(), arguments.flags.begin(), arguments.flags.end());
    const auto proposed = TRY(Config::parse(std::move(config)));
    return add_create_runtime_hook(proposed, hook);
}

Result<Outcome> change(const Config& config, const Arguments& arguments, bool in_user_namespace,
                       const std::string& notice_file) {
    const auto request = TRY(read_request(config.json(), arguments.defaults));
    if (!request || request->mode == Mode::off) return Outcome{config.text(), {}};
    auto proposal = TRY(drop_risks(config, *request, in_user_namespace, notice_file));
    if (arguments.has(kAddHook.name))
        proposal.text = TRY(add_hook(std::move(proposal.text), arguments));
    return proposal;
}

Result<Outcome> precreate(const Arguments& arguments, const Caller& /*caller*/) {
    auto text = TRY(read_all(STDIN_FILENO, kMaxConfigBytes).context("read proposed config.json"));
    if (is_left_alone(arguments, text)) return Outcome{std::move(text), {}};
    const bool in_user_namespace = !TRY(in_initial_user_namespace());
    const std::string notice_file = readable_file(arguments.value(kNoticeFileOption.name));
    TRY(confine(Role::precreate));
    auto config = TRY(Config::parse(std::move(text)).context("proposed config.json"));
    if (is_left_alone(arguments, config.json())) return Outcome{config.text(), {}};
    TRY(check_unambiguous(config.json()).context("proposed config.json"));
    const std::string container = container_name(config.json());
    auto proposal =
        TRY(change(config, arguments, in_user_namespace, notice_file).context(container));
    for (LogLine& line : proposal.lines) line.text.insert(0, container + ": ");
    return proposal;
}

constexpr Option kOptions[] = {kIfAsked,
                               kAddHook,
                               kNoticeFileOption,
                               {"--note", "TEXT", "ignored; podman shows it when this fails"}};

}  // namespace

const Verb kPrecreate{
    .name = "precreate",
    .summary = "called by podman before that: drops from config.json what could bypass the block",
    .about =
        "Reads the proposed config.json from standard input and writes it to standard output: with "
        "a notice\n"
        "of what is denied, and without BPF LSM with less in it: no CAP_NET_RAW, no socket "
        "families that the\nblock can't check.",
    .called_by = CalledBy::engines,
    .options = kOptions,
    .takes_settings = true,
    .deadline = kDeadlineSeconds,
    .run = precreate,
};

}  // namespace jail_ai
