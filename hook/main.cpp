// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Verb to command; the only place that prints and exits. It first makes the process its own: crun starts hooks with every signal
// blocked, and podman passes the environment of whoever called it.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <new>
#include <string_view>

#include "base/report.h"
#include "commands/create_runtime.h"
#include "version.h"

namespace {

constexpr unsigned kDeadlineSeconds = 8;  // below the 10 s that hooks.d gives, so that the log says why

constexpr std::string_view kHelp =
    "usage: jail-ai-hook VERB\n"
    "\n"
    "  createRuntime   called by podman, crun, runc or CRI-O: reads the container state (OCI runtime-spec) from\n"
    "                  standard input and keeps the container away from the machine it runs on\n"
    "  --version       print the version\n"
    "  --help          print this\n"
    "\n"
    "Containers ask for it by annotation:\n"
    "  jail-ai.block-host=true   connections to the host fail with EPERM, everything else passes\n"
    "  jail-ai.block-host=false  nothing is done\n"
    "Anything else under jail-ai. is refused, and so is a container that can't be protected.\n";

extern "C" void on_deadline(int /*signal*/) {
    constexpr std::string_view line = "jail-ai-hook: not done within 8 s, container refused\n";
    static_assert(kDeadlineSeconds == 8);
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    ::_exit(EX_TEMPFAIL);
}

void own_the_process() {
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
    action.sa_handler = on_deadline;
    ::sigaction(SIGALRM, &action, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int print(std::string_view text) {
    return ::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? EX_OK : EX_IOERR;
}

int run_create_runtime() {
    ::alarm(kDeadlineSeconds);
    const auto outcome = jail_ai::create_runtime(STDIN_FILENO);
    if (!outcome) {
        jail_ai::report(LOG_ERR, outcome.error().message);
        return outcome.error().exit_code;
    }
    for (const std::string& warning : outcome->warnings) jail_ai::report(LOG_WARNING, warning);
    jail_ai::report(LOG_INFO, outcome->line);
    return EX_OK;
}

int dispatch(int argc, char** argv) {
    const std::string_view verb = argc == 2 ? argv[1] : "";
    if (verb == "createRuntime") return run_create_runtime();
    if (verb == "--version") return print("jail-ai-hook " JAIL_AI_VERSION "\n");
    if (verb == "--help") return print(kHelp);
    jail_ai::report(LOG_ERR, "usage: jail-ai-hook createRuntime | --version | --help");
    return EX_USAGE;
}

}  // namespace

int main(int argc, char** argv) {
    own_the_process();
    try {
        return dispatch(argc, argv);
    } catch (const std::exception& failure) {
        jail_ai::report(LOG_ERR, failure.what());
        return EX_SOFTWARE;
    }
}
