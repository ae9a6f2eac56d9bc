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

#include <csignal>
#include <cstdlib>
#include <span>
#include <string_view>

#include "base/deadline.h"
#include "base/report.h"
#include "commands/arguments.h"
#include "commands/attach.h"
#include "commands/broker.h"
#include "commands/create_runtime.h"
#include "commands/doctor.h"
#include "commands/explain.h"
#include "commands/jail_by_broker.h"
#include "commands/log.h"
#include "commands/precreate.h"
#include "commands/refresh.h"
#include "commands/status.h"
#include "commands/verify.h"
#include "commands/watch.h"
#include "sandbox/sandbox.h"
#include "system/process.h"
#include "version.h"

namespace {

constexpr std::string_view kHelp =
    "usage: jail-ai-hook VERB\n"
    "\n"
    "  createRuntime   called by podman, crun, runc or CRI-O: reads the container state (OCI runtime-spec) from\n"
    "                  standard input and keeps the container away from the machine it runs on\n"
    "  precreate       called by podman before that: takes from config.json, read from standard input and written\n"
    "                  to standard output, what would lead past the block: CAP_NET_RAW, sockets other than IP and Unix\n"
    "  broker          started by jail-ai-hook.socket for each request of a rootless engine's hook: jails its container\n"
    "                  (createRuntime takes --broker=PATH, where it listens, and broker --max-jails=N, 256 a user)\n"
    "  explain         says what would become of a destination, and why: explain 10.88.0.1:5432/tcp\n"
    "                  [--annotation KEY=VALUE]… [--pid PID | --container ID] [--json]; without one, the whole policy\n"
    "  status          every jail on this machine: what was refused and how often: status [CONTAINER…] [--json | --prometheus]\n"
    "  verify          containers that ask for the block and don't have it, and jails that aren't as they should be:\n"
    "                  verify [CONTAINER…] [--json]; ends with 1 where there are any\n"
    "  doctor [--json] says whether the block works on this machine for whoever calls it, and what to do if not\n"
    "  --version       print the version\n"
    "  --help          print this\n"
    "\n"
    "Containers ask for it by annotation, and the administrator by flags of the verb (--block-host=… --allow=… …):\n"
    "  jail-ai.block-host             true: connections to the host fail with EPERM, everything else passes\n"
    "                                 audit: they pass and are counted; false: nothing is done\n"
    "  jail-ai.block-host.allow       ports that pass: host:11434 10.88.0.1:5432-5433/tcp [fd00::1]:53/udp\n"
    "  jail-ai.block-host.also        more to block: addresses, prefixes, private, link-local, gateway\n"
    "  jail-ai.block-host.dns         auto: the container's resolvers answer DNS; off\n"
    "  jail-ai.block-host.on-failure  refuse the container, or run it unprotected\n"
    "  jail-ai.block-host.accept      risks taken by name\n"
    "With --enforce, annotations may tighten what the flags say and never loosen it.\n"
    "Anything else under jail-ai. is refused, and so is a container that can't be protected.\n";

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
    jail_ai::report(LOG_ERR, error.message);
    return error.exit_code;
}

int fail_in_time(jail_ai::Error error) {
    if (!jail_ai::deadline_passed()) return fail(error);
    return fail({EX_TEMPFAIL, fmt::format("{}: not done within {} s, container refused", error.message, jail_ai::kDeadlineSeconds)});
}

int run_precreate(std::span<char* const> words) {
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

int run_create_runtime(std::span<char* const> words) {
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
int run_broker(std::span<char* const> words) {
    jail_ai::start_deadline(jail_ai::kBrokerDeadlineSeconds);
    if (!jail_ai::kill_after(jail_ai::kBrokerDeadlineSeconds + 2)) return fail(jail_ai::system_error("set a timer", errno));
    const auto arguments = jail_ai::parse_arguments(words, {jail_ai::kMaxJailsOption});
    if (!arguments) return fail(arguments.error());
    const auto lines = jail_ai::serve(STDIN_FILENO, *arguments);
    if (!lines) return fail(lines.error());
    for (const jail_ai::Line& line : *lines) jail_ai::report(line.priority, line.text);
    return EX_OK;
}

int run_explain(std::span<char* const> arguments) {
    const auto question = jail_ai::parse_question(arguments);
    if (!question) return fail(question.error());
    const auto answer = jail_ai::explain(*question);
    return answer ? print(*answer) : fail(answer.error());
}

int run_status(std::span<char* const> words) {
    const auto answer = jail_ai::status(words);
    return answer ? print(*answer) : fail(answer.error());
}

int run_refresh(std::span<char* const> words) {
    const auto answer = jail_ai::refresh(words, ::isatty(STDERR_FILENO) == 1);
    if (!answer) return fail(answer.error());
    const int printed = print(answer->text);
    return printed == EX_OK ? answer->exit_code : printed;
}

int run_log(std::span<char* const> words) {
    int printed = EX_OK;
    const auto print_on = [&](std::string_view text) { return (printed = print(text)) == EX_OK; };
    const auto logged = jail_ai::log(words, print_on, [](std::string_view line) { jail_ai::report(LOG_WARNING, line); });
    return logged ? printed : fail(logged.error());
}

int run_watch(std::span<char* const> words) {
    const auto watched = jail_ai::watch(words, [](const jail_ai::Line& line) {
        jail_ai::report(line.priority, line.text);
        if (line.priority > LOG_WARNING) print(line.text + "\n");
    });
    return watched ? EX_OK : fail(watched.error());
}

int run_verify(std::span<char* const> words) {
    const auto verification = jail_ai::verify(words);
    if (!verification) return fail(verification.error());
    const int printed = print(verification->text);
    return printed == EX_OK ? verification->exit_code : printed;
}

// A person runs these, and is told what else goes to syslog alone.
int run_lines(jail_ai::Result<jail_ai::Lines> lines) {
    if (!lines) return fail(lines.error());
    int printed = EX_OK;
    for (const jail_ai::Line& line : *lines) {
        jail_ai::report(line.priority, line.text);
        if (line.priority > LOG_WARNING && printed == EX_OK) printed = print(line.text + "\n");
    }
    return printed;
}

// What doctor needs of the environment, before it is dropped.
struct Caller {
    jail_ai::Surroundings surroundings;
    bool wants_colour;
};

Caller look_at_caller() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value != nullptr ? value : "");
    };
    return {{variable("HOME"), variable("XDG_CONFIG_HOME"), variable("CONTAINERS_CONF")},
            variable("NO_COLOR").empty() && ::isatty(STDOUT_FILENO) == 1};
}

int run_doctor(std::span<char* const> arguments, const Caller& caller) {
    const auto diagnosis = jail_ai::diagnose(arguments, caller.surroundings, caller.wants_colour);
    if (!diagnosis) return fail(diagnosis.error());
    const int printed = print(diagnosis->text);
    return printed == EX_OK ? diagnosis->exit_code : printed;
}

int dispatch(std::span<char* const> arguments, const Caller& caller) {
    const std::string_view verb = arguments.empty() ? "" : arguments.front();
    if (verb == "createRuntime") return run_create_runtime(arguments.subspan(1));
    if (verb == "precreate") return run_precreate(arguments.subspan(1));
    if (verb == "broker") return run_broker(arguments.subspan(1));
    if (verb == "status") return run_status(arguments.subspan(1));
    if (verb == "attach") return run_lines(jail_ai::attach(arguments.subspan(1)));
    if (verb == "detach") return run_lines(jail_ai::detach(arguments.subspan(1)));
    if (verb == "log") return run_log(arguments.subspan(1));
    if (verb == "watch") return run_watch(arguments.subspan(1));
    if (verb == "refresh") return run_refresh(arguments.subspan(1));
    if (verb == "verify") return run_verify(arguments.subspan(1));
    if (verb == "explain") return run_explain(arguments.subspan(1));
    if (verb == "doctor") return run_doctor(arguments.subspan(1), caller);
    if (verb == "--version") return print("jail-ai-hook " JAIL_AI_VERSION "\n");
    if (verb == "--help") return print(kHelp);
    return fail({EX_USAGE, "usage: jail-ai-hook createRuntime | precreate | broker | explain | doctor | status | verify | --version | --help"});
}

}  // namespace

int main(int argc, char** argv) {
    const Caller caller = look_at_caller();
    own();
    try {
        return dispatch(std::span(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0), caller);
    } catch (const std::exception& failure) {
        jail_ai::report(LOG_ERR, failure.what());
        return EX_SOFTWARE;
    }
}
