// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "confined.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "expect.h"
#include "must.h"

namespace jail_ai::test {
namespace {

constexpr int kNotConfined = 255;

template <typename Prepare>
std::string ending(Prepare prepare, Deed deed) {
    const pid_t pid = must(::fork(), "fork");
    if (pid == 0) {
        if (!prepare()) ::_exit(kNotConfined);
        errno = 0;
        ::_exit(deed() >= 0 ? 0 : errno);
    }
    int status = 0;
    must(::waitpid(pid, &status, 0), "wait for a child");
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? "killed" : "signal " + std::to_string(WTERMSIG(status));
    if (WEXITSTATUS(status) == kNotConfined) return "can't confine itself";
    return WEXITSTATUS(status) == 0 ? "does" : error_name(WEXITSTATUS(status));
}

}  // namespace

std::string confined(Role role, Deed deed) {
    return ending([&] { return static_cast<bool>(confine(role)); }, deed);
}

std::string unconfined(Deed deed) {
    return ending([] { return true; }, deed);
}

const char* name_of(Role role) {
    switch (role) {
        case Role::create_runtime: return "createRuntime";
        case Role::precreate: return "precreate";
        case Role::ask_broker: return "createRuntime in a user namespace";
        case Role::broker: return "broker";
        case Role::prober: return "prober";
        case Role::show: return "status and log";
        case Role::verify: return "verify";
        case Role::detach: return "detach";
        case Role::attach: return "attach";
        case Role::explain: return "explain";
        case Role::refresh: return "refresh";
        case Role::watch: return "watch";
        case Role::follow: return "log --follow";
        case Role::ask_to_show: return "status and log of a user";
    }
    return "?";
}

}  // namespace jail_ai::test
