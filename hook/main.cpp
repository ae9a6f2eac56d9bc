// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Verb to command; the only place that prints and exits. It first makes the process its own: crun
// starts hooks with every signal blocked, and podman passes its caller's environment.
// Then, before anything from outside is parsed, the verb confines it (sandbox/sandbox.h).
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
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/quote.h"
#include "base/report.h"
#include "commands/arguments.h"
#include "commands/help.h"
#include "commands/listing.h"
#include "commands/rejection_report.h"
#include "commands/runtime_links.h"
#include "commands/verbs.h"
#include "doctor/probe.h"
#include "system/machine_settings.h"
#include "system/prober.h"
#include "system/process.h"
#include "version.h"

namespace {

using CommandLine = std::span<char* const>;

// The one that was asked for.
const jail_ai::Verb* running_verb = nullptr;

// Those that are closed would be taken by the next open.
void open_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (::fcntl(fd, F_GETFD) == -1 &&
            ::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd)
            ::_exit(EX_OSERR);
}

void reset_process_state() {
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

// Then a failure rejects a container.
bool is_called_by_engine() {
    return running_verb != nullptr && running_verb->called_by == jail_ai::CalledBy::engines;
}

int fail(const jail_ai::Error& error) {
    std::string text = error.message;
    if (running_verb != nullptr && error.exit_code == EX_USAGE)
        text += fmt::format(": jail-ai-hook {} --help shows what it takes", running_verb->name);
    if (is_called_by_engine()) text.insert(0, jail_ai::kRejected);
    jail_ai::report(LOG_ERR, text);
    return error.exit_code;
}

int fail_in_time(jail_ai::Error error) {
    if (!jail_ai::deadline_passed()) return fail(error);
    return fail({EX_TEMPFAIL,
                 fmt::format("{}: not done within {} s", error.message, running_verb->deadline)});
}

// A person also sees what else goes to syslog alone.
int report_line(const jail_ai::LogLine& line) {
    jail_ai::report(line.priority, line.text, line.fields);
    const bool to_person =
        running_verb->called_by == jail_ai::CalledBy::people && line.priority > LOG_WARNING;
    return to_person ? print(jail_ai::printable(line.text) + "\n") : EX_OK;
}

int hand_out(const jail_ai::Outcome& outcome) {
    if (print(outcome.text) != EX_OK) {
        return is_called_by_engine()
                   ? fail_in_time(jail_ai::system_error("write config.json", errno, EX_IOERR))
                   : EX_IOERR;
    }
    int exit_code = outcome.exit_code;
    for (const jail_ai::LogLine& line : outcome.lines)
        if (const int failed = report_line(line); failed != EX_OK) exit_code = failed;
    return exit_code;
}

jail_ai::Result<jail_ai::Outcome> run(const jail_ai::Verb& verb, CommandLine words,
                                      const jail_ai::Caller& caller) {
    if (verb.deadline != 0 && !jail_ai::start_deadline(verb.deadline))
        return jail_ai::system_error("set a timer", errno);
    auto arguments = TRY(jail_ai::parse_arguments(verb, words));
    if (!verb.only_root_may.empty() && ::geteuid() != 0)
        return jail_ai::only_root_may(verb.only_root_may);
    if (verb.takes_settings && verb.becomes.empty()) {
        const auto machine = TRY(jail_ai::read_machine_settings());
        arguments.defaults = TRY(jail_ai::join_defaults(machine, arguments.defaults));
    }
    return verb.run(arguments, caller);
}

// An engine that is made to ask for help, by a slip in its JSON, must not start a container for the
// success of that. It speaks by a pipe, systemd by a socket.
int print_help(const jail_ai::Verb& verb) {
    struct stat input {};
    const bool by_person = verb.called_by == jail_ai::CalledBy::people ||
                           (::fstat(STDIN_FILENO, &input) == 0 && S_ISCHR(input.st_mode));
    const int printed = print(jail_ai::help_of(verb));
    return by_person ? printed : EX_USAGE;
}

const jail_ai::Verb* find_verb(std::string_view word) {
    const auto* const found = std::ranges::find(jail_ai::kVerbs, word, &jail_ai::Verb::name);
    return found == std::end(jail_ai::kVerbs) ? nullptr : *found;
}

int dispatch(CommandLine words, const jail_ai::Caller& caller) {
    const std::string_view word = words.empty() ? "" : words.front();
    if (!words.empty()) words = words.subspan(1);
    if (word == "--version") return print("jail-ai-hook " JAIL_AI_VERSION "\n");
    if (jail_ai::is_help(word)) return print(jail_ai::help(jail_ai::kVerbs));
    if (word == "--list") {
        const auto listed = jail_ai::list(jail_ai::kVerbs, words);
        return listed ? print(*listed) : fail(listed.error());
    }
    const jail_ai::Verb* const verb = find_verb(word);
    if (verb == nullptr) return fail({EX_USAGE, jail_ai::wrong_verb(word, jail_ai::kVerbs)});
    if (jail_ai::asks_for_help(*verb, words)) return print_help(*verb);
    running_verb = verb;
    auto outcome = run(*verb, words, caller);
    // People may take their time to read.
    if (running_verb->called_by == jail_ai::CalledBy::people && running_verb->deadline != 0)
        jail_ai::end_deadline();
    return outcome ? hand_out(*outcome) : fail_in_time(std::move(outcome).error());
}

// Reads the environment, before it is dropped.
std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

int main(int argc, char** argv) {
    const CommandLine called(argv, static_cast<std::size_t>(argc));
    auto words = jail_ai::words_by_link(called);
    if (words.empty()) words.assign(called.begin() + (argc > 0 ? 1 : 0), called.end());
    const jail_ai::Surroundings surroundings{variable("HOME"), variable("XDG_CONFIG_HOME"),
                                             variable("CONTAINERS_CONF"),
                                             variable("XDG_RUNTIME_DIR")};
    const bool wants_colour = variable("NO_COLOR").empty() && ::isatty(STDOUT_FILENO) == 1;
    open_standard_descriptors();
    const jail_ai::Verb* const verb = words.empty() ? nullptr : find_verb(words.front());
    if (verb == nullptr || verb->becomes.empty()) reset_process_state();
    const jail_ai::Caller caller{surroundings, wants_colour, ::isatty(STDERR_FILENO) == 1,
                                 [](std::string_view text) { return print(text) == EX_OK; },
                                 [](const jail_ai::LogLine& line) { report_line(line); }};
    int exit_code = EX_SOFTWARE;
    try {
        exit_code = dispatch(words, caller);
    } catch (const std::exception& failure) {
        jail_ai::report(LOG_ERR, failure.what());
    }
    jail_ai::Prober::end();
    return exit_code;
}
