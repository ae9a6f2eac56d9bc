// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "runtime": for engines that call no hooks (Docker, BuildKit, containerd), in place of the
// runtime, which it becomes. Before a container is started by that, its config.json goes through
// precreate, which also adds the hook createRuntime to it; what fails rejects the container, and is
// written where the engine looks for the runtime's reasons. Whatever else the runtime is called for
// goes on to it untouched.
//
// This process parses nothing but the engine's words and the administrator's settings; it keeps the
// engine's environment and descriptors, and its privileges, for the runtime needs them. What is in
// config.json is read by a process of its own, as confined as precreate ever is.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <string>
#include <vector>

#include "base/quote.h"
#include "base/report.h"
#include "base/unique_fd.h"
#include "commands/arguments.h"
#include "commands/if_asked.h"
#include "commands/precreate_options.h"
#include "commands/rejection_report.h"
#include "commands/verbs.h"
#include "container/asking.h"
#include "container/config.h"
#include "engines/runtime_call.h"
#include "installed.h"
#include "system/file.h"
#include "system/machine_settings.h"
#include "system/replace_file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxReports = 64U << 10;

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (std::string& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

struct Pipe {
    UniqueFd reader, writer;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("make a pipe", errno);
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// An engine that ignores the end of its children would keep waitpid(2) from saying how one ended.
class DefaultChildSignal {
public:
    DefaultChildSignal() {
        struct sigaction action {};
        action.sa_handler = SIG_DFL;
        ::sigaction(SIGCHLD, &action, &before_);
    }
    ~DefaultChildSignal() { ::sigaction(SIGCHLD, &before_, nullptr); }
    DefaultChildSignal(const DefaultChildSignal&) = delete;
    DefaultChildSignal& operator=(const DefaultChildSignal&) = delete;

private:
    struct sigaction before_ {};
};

struct Answer {
    std::string config;
    std::string reports;  // what it has said on standard error
    int exit_code;
};

Result<int> exit_code_of(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) != pid)
        if (errno != EINTR) return system_error("wait for precreate", errno);
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    return Error{EX_SOFTWARE, fmt::format("precreate was ended by signal {}", WTERMSIG(status))};
}

struct OpenBundle {
    UniqueFd bundle, directory, config;
    std::string name;  // of config.json in that directory
};

Result<Answer> precreate(const OpenBundle& open, std::vector<std::string> words) {
    auto answer = TRY(make_pipe());
    auto reports = TRY(make_pipe());
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addfchdir_np(&actions, open.bundle.get());
    ::posix_spawn_file_actions_adddup2(&actions, open.config.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, answer.writer.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, reports.writer.get(), STDERR_FILENO);
    char* no_environment[] = {nullptr};
    const DefaultChildSignal default_signal;
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr,
                                     pointers(words).data(), no_environment);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return system_error("start precreate", failed);
    answer.writer.reset();
    reports.writer.reset();
    // Its reports are written without blocking, so that reading the answer first cannot deadlock.
    auto proposed = read_all(answer.reader.get(), 2 * kMaxConfigBytes);
    auto said = read_all(reports.reader.get(), kMaxReports);
    answer.reader.reset();
    const int exit_code = TRY(exit_code_of(pid));
    if (!proposed) return std::move(proposed).error().context("read the answer of precreate");
    if (!said) return std::move(said).error().context("read the reports of precreate");
    return Answer{std::move(*proposed), std::move(*said), exit_code};
}

Result<OpenBundle> open_bundle(const BundlePlace& place) {
    OpenBundle open{
        UniqueFd(::open(place.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), {}, {}, {}};
    if (!open.bundle)
        return lookup_error(fmt::format("open {}", quote(place.directory)), errno, Sought::file);
    const std::size_t slash = place.config.rfind('/');
    const bool is_beside = slash == std::string::npos;
    const std::string above = is_beside ? "." : place.config.substr(0, slash + 1);
    open.directory =
        UniqueFd(::openat(open.bundle.get(), above.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    open.name = is_beside ? place.config : place.config.substr(slash + 1);
    if (!open.directory)
        return lookup_error(fmt::format("open {}", quote(above)), errno, Sought::file);
    open.config = TRY(open_regular_file(open.directory.get(), open.name));
    return open;
}

// Its lines are "jail-ai-hook: TEXT"; the last says why it has failed.
std::string last_report(std::string_view reports) {
    while (reports.ends_with('\n')) reports.remove_suffix(1);
    return std::string(reports.substr(reports.rfind('\n') + 1));
}

// Not with run, which BuildKit calls for a step: what the runtime makes for a bind would become
// part of the image. Other containers have files of their own, which end with them.
bool gets_notice_file(std::span<const std::string> start) {
    return start.front() != "run";
}

std::vector<std::string> words_for_precreate(std::span<const std::string> start,
                                             const Arguments& arguments) {
    std::vector<std::string> words{"jail-ai-hook", std::string(kPrecreate.name),
                                   std::string(kIfAsked.name), std::string(kAddHook.name)};
    const std::string* file = arguments.value(kNoticeFileOption.name);
    if (gets_notice_file(start))
        words.push_back(fmt::format("{}={}", kNoticeFileOption.name,
                                    file != nullptr ? *file : JAIL_AI_NOTICE_FILE));
    words.insert(words.end(), arguments.flags.begin(), arguments.flags.end());
    return words;
}

Result<Answer> prepare(std::span<const std::string> start, const Arguments& arguments) {
    const auto place = TRY(find_bundle(start));
    const auto open = TRY(open_bundle(place).context("bundle"));
    const auto machine = TRY(read_machine_settings());
    const auto defaults = TRY(join_defaults(machine, arguments.defaults));
    auto text = TRY(read_all(open.config.get(), kMaxConfigBytes).context(quote(open.name)));
    // As is_left_alone(): nothing that could go wrong is between such a container and its start.
    if (!jails_unasked(defaults) && !may_ask(text)) return Answer{};
    if (::lseek(open.config.get(), 0, SEEK_SET) != 0) return system_error("seek", errno);
    auto answer = TRY(precreate(open, words_for_precreate(start, arguments)));
    if (answer.exit_code == EX_OK && answer.config != text)
        TRY(replace_file(open.directory.get(), open.name, answer.config, open.config.get()));
    return answer;
}

// As the runtime opens it. What can't be written there is on stderr and in syslog.
void write_log(const RuntimeLog& log, std::string_view message) {
    if (log.path.empty()) return;
    const UniqueFd file(::open(
        log.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644));
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    std::array<char, 32> time{};
    ::gmtime_r(&now, &utc);
    const std::size_t length = std::strftime(time.data(), time.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (file) write_if_ready(file.get(), log_line(log, message, {time.data(), length}));
}

Result<Outcome> become(const Arguments& arguments) {
    std::vector<std::string> words = arguments.program;
    ::execvp(words.front().c_str(), pointers(words).data());
    return system_error(fmt::format("run {}", quote(words.front())), errno, EX_UNAVAILABLE);
}

Result<Outcome> runtime(const Arguments& arguments, const Caller& /*caller*/) {
    const RuntimeCall call = parse_runtime_call(std::span(arguments.program).subspan(1));
    if (call.start.empty()) return become(arguments);
    auto answer = prepare(call.start, arguments);
    if (!answer) {
        write_log(call.log, fmt::format("jail-ai-hook: {}{}", kRejected, answer.error().message));
        return std::move(answer).error();
    }
    if (answer->exit_code == EX_OK) return become(arguments);
    // It is in syslog already.
    write_log(call.log, last_report(answer->reports));
    write_if_ready(STDERR_FILENO, answer->reports);
    return Outcome{{}, {}, answer->exit_code};
}

constexpr Option kOptions[] = {kNoticeFileOption};

}  // namespace

const Verb kRuntime{
    .name = "runtime",
    .summary = "called by Docker or containerd instead of runc: adds the two above, then runs it",
    .about =
        "Stands before a runtime for engines that call no hooks: what it starts goes through "
        "precreate and\n"
        "gets the hook createRuntime, if annotations or settings ask for the block. The links "
        "jail-ai-runc\n"
        "and jail-ai-crun are this verb with that runtime.",
    .called_by = CalledBy::engines,
    .options = kOptions,
    .takes_settings = true,
    .becomes = "RUNTIME",
    .run = runtime,
};

}  // namespace jail_ai
