// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Verb to command; the only place that prints and exits. It first makes the process its own: crun starts hooks with every signal
// blocked, and podman passes the environment of whoever called it. Then, before anything from outside is read, the verb confines it
// (sandbox/sandbox.h).
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/quote.h"
#include "base/report.h"
#include "commands/arguments.h"
#include "commands/attach.h"
#include "commands/broker.h"
#include "commands/create_runtime.h"
#include "commands/doctor.h"
#include "commands/explain.h"
#include "commands/help.h"
#include "commands/jail_by_broker.h"
#include "commands/log.h"
#include "commands/precreate.h"
#include "commands/refresh.h"
#include "commands/status.h"
#include "commands/verify.h"
#include "commands/watch.h"
#include "sandbox/sandbox.h"
#include "system/prober.h"
#include "system/process.h"
#include "version.h"

namespace {

using Words = std::span<char* const>;

// What doctor needs of the environment, before it is dropped.
struct Caller {
    jail_ai::Surroundings surroundings;
    bool wants_colour;
};

// For what is said to whoever calls it wrongly.
std::string_view running_verb;

void own() {
    // Standard descriptors that are closed would be taken by the next open.
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (::fcntl(fd, F_GETFD) == -1 && ::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd) ::_exit(EX_OSERR);
    ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
    ::clearenv();
    ::umask(077);
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGHUP, &action, nullptr);
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int print(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR && !jail_ai::deadline_passed()) continue;
        if (written < 0) return EX_IOERR;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return EX_OK;
}

int fail(const jail_ai::Error& error) {
    const bool misused = error.exit_code == EX_USAGE && !running_verb.empty();
    jail_ai::report(LOG_ERR, misused ? fmt::format("{}; jail-ai-hook {} --help tells its flags", error.message, running_verb) : error.message);
    return error.exit_code;
}

int fail_in_time(jail_ai::Error error) {
    if (!jail_ai::deadline_passed()) return fail(error);
    return fail({EX_TEMPFAIL, fmt::format("{}: not done within {} s, container refused", error.message, jail_ai::kDeadlineSeconds)});
}

int run_precreate(Words words, const Caller& /*caller*/) {
    jail_ai::start_deadline();
    const auto arguments = jail_ai::parse_arguments(words);
    if (!arguments) return fail(arguments.error());
    if (auto confined = jail_ai::confine(jail_ai::Role::precreate); !confined) return fail(confined.error());
    const auto proposal = jail_ai::precreate(STDIN_FILENO, arguments->defaults);
    if (!proposal) return fail_in_time(proposal.error());
    if (print(proposal->config) != EX_OK) return fail_in_time(jail_ai::system_error("write config.json", errno, EX_IOERR));
    for (const jail_ai::Line& line : proposal->lines) jail_ai::report(line.priority, line.text);
    return EX_OK;
}

int run_create_runtime(Words words, const Caller& /*caller*/) {
    jail_ai::start_deadline();
    const auto arguments = jail_ai::parse_arguments(words, {jail_ai::kBrokerOption});
    if (!arguments) return fail(arguments.error());
    const auto initial = jail_ai::in_initial_user_namespace();
    if (!initial) return fail(initial.error());
    const auto role = *initial ? jail_ai::Role::create_runtime : jail_ai::Role::ask_broker;
    if (auto confined = jail_ai::confine(role); !confined) return fail(confined.error());
    const auto lines = jail_ai::create_runtime(STDIN_FILENO, *arguments, *initial);
    if (!lines) return fail_in_time(lines.error());
    for (const jail_ai::Line& line : *lines) jail_ai::report(line.priority, line.text);
    return EX_OK;
}

// A request that was refused has had its answer, and is no failure of this process: systemd would keep a failed unit for each.
int run_broker(Words words, const Caller& /*caller*/) {
    jail_ai::start_deadline(jail_ai::kBrokerDeadlineSeconds);
    if (!jail_ai::kill_after(jail_ai::kBrokerDeadlineSeconds + 2)) return fail(jail_ai::system_error("set a timer", errno));
    const auto arguments = jail_ai::parse_arguments(words, {jail_ai::kMaxJailsOption});
    if (!arguments) return fail(arguments.error());
    const auto lines = jail_ai::serve(STDIN_FILENO, *arguments);
    if (!lines) return fail(lines.error());
    for (const jail_ai::Line& line : *lines) jail_ai::report(line.priority, line.text);
    return EX_OK;
}

int run_explain(Words arguments, const Caller& /*caller*/) {
    const auto question = jail_ai::parse_question(arguments);
    if (!question) return fail(question.error());
    const auto answer = jail_ai::explain(*question);
    return answer ? print(*answer) : fail(answer.error());
}

int run_status(Words words, const Caller& /*caller*/) {
    const auto answer = jail_ai::status(words);
    return answer ? print(*answer) : fail(answer.error());
}

// Of a verb whose exit code says something also where it succeeds.
template <typename Answer>
int print_answer(const jail_ai::Result<Answer>& answer) {
    if (!answer) return fail(answer.error());
    const int printed = print(answer->text);
    return printed == EX_OK ? answer->exit_code : printed;
}

int run_refresh(Words words, const Caller& /*caller*/) {
    return print_answer(jail_ai::refresh(words, ::isatty(STDERR_FILENO) == 1));
}

int run_log(Words words, const Caller& /*caller*/) {
    int printed = EX_OK;
    const auto print_on = [&](std::string_view text) { return (printed = print(text)) == EX_OK; };
    const auto logged = jail_ai::log(words, print_on, [](std::string_view line) { jail_ai::report(LOG_WARNING, line); });
    return logged ? printed : fail(logged.error());
}

// A person runs these, and is told what else goes to syslog alone.
int tell(const jail_ai::Line& line) {
    jail_ai::report(line.priority, line.text);
    return line.priority > LOG_WARNING ? print(jail_ai::printable(line.text) + "\n") : EX_OK;
}

int run_watch(Words words, const Caller& /*caller*/) {
    const auto watched = jail_ai::watch(words, [](const jail_ai::Line& line) { tell(line); });
    return watched ? EX_OK : fail(watched.error());
}

int run_verify(Words words, const Caller& /*caller*/) {
    if (auto started = jail_ai::start_prober(); !started) return fail(started.error());
    return print_answer(jail_ai::verify(words));
}

int run_lines(jail_ai::Result<jail_ai::Lines> lines) {
    if (!lines) return fail(lines.error());
    int printed = EX_OK;
    for (const jail_ai::Line& line : *lines)
        if (const int told = tell(line); told != EX_OK) printed = told;
    return printed;
}

int run_attach(Words words, const Caller& /*caller*/) {
    if (auto started = jail_ai::start_prober(); !started) return fail(started.error());
    return run_lines(jail_ai::attach(words));
}

int run_detach(Words words, const Caller& /*caller*/) {
    return run_lines(jail_ai::detach(words));
}

Caller look_at_caller() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value != nullptr ? value : "");
    };
    return {{variable("HOME"), variable("XDG_CONFIG_HOME"), variable("CONTAINERS_CONF"), variable("XDG_RUNTIME_DIR")},
            variable("NO_COLOR").empty() && ::isatty(STDOUT_FILENO) == 1};
}

int run_doctor(Words arguments, const Caller& caller) {
    if (auto started = jail_ai::start_prober(); !started) return fail(started.error());
    return print_answer(jail_ai::diagnose(arguments, caller.surroundings, caller.wants_colour));
}

struct Verb {
    std::string_view name;
    int (*run)(Words words, const Caller& caller);
};

constexpr Verb kVerbs[] = {
    {"createRuntime", run_create_runtime},
    {"precreate", run_precreate},
    {"broker", run_broker},
    {"explain", run_explain},
    {"status", run_status},
    {"log", run_log},
    {"refresh", run_refresh},
    {"watch", run_watch},
    {"verify", run_verify},
    {"attach", run_attach},
    {"detach", run_detach},
    {"doctor", run_doctor},
};

std::vector<std::string_view> verb_names() {
    std::vector<std::string_view> names;
    std::ranges::transform(kVerbs, std::back_inserter(names), &Verb::name);
    return names;
}

// An engine that is told to ask for help, by a slip in its JSON, must not start a container for the success of that. It speaks by a pipe, systemd by
// a socket.
int print_help(const jail_ai::VerbHelp& help) {
    struct stat input {};
    const bool by_person = help.called_by == jail_ai::CalledBy::people || (::fstat(STDIN_FILENO, &input) == 0 && S_ISCHR(input.st_mode));
    const int printed = print(jail_ai::help_of(help));
    return by_person ? printed : EX_USAGE;
}

int dispatch(Words arguments, const Caller& caller) {
    const std::string_view word = arguments.empty() ? "" : arguments.front();
    if (word == "--version") return print("jail-ai-hook " JAIL_AI_VERSION "\n");
    if (word == "--help") return print(jail_ai::help(verb_names()));
    const auto* const verb = std::ranges::find(kVerbs, word, &Verb::name);
    if (verb == std::end(kVerbs)) return fail({EX_USAGE, jail_ai::wrong_verb(word, verb_names())});
    const Words words = arguments.subspan(1);
    if (const jail_ai::VerbHelp* help = jail_ai::asked_help(word, words)) return print_help(*help);
    running_verb = verb->name;
    return verb->run(words, caller);
}

}  // namespace

int main(int argc, char** argv) {
    const Caller caller = look_at_caller();
    own();
    int exit_code = EX_SOFTWARE;
    try {
        exit_code = dispatch(std::span(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0), caller);
    } catch (const std::exception& failure) {
        jail_ai::report(LOG_ERR, failure.what());
    }
    jail_ai::Prober::end();
    return exit_code;
}
