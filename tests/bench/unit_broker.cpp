// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "unit_broker.h"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "container.h"
#include "files.h"
#include "must.h"
#include "pipe.h"

namespace jail_ai::bench {
namespace {

using test::Laboratory;
using test::must;

[[noreturn]] void become(const test::TestCgroup& cgroup, const std::string& socket, int says) {
    test::write_file("cgroup.procs", "0", cgroup.fd());
    must(::setns(Laboratory::get().network.host.fd(), CLONE_NEWNET), "enter the host's network");
    must(::dup2(says, STDOUT_FILENO), "hand over standard output");
    const std::filesystem::path hook =
        std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", Laboratory::get().hook.fd()));
    ::execl(AS_UNIT, AS_UNIT, SERVICE, socket.c_str(), hook.c_str(), "broker", "--idle=86400",
            static_cast<char*>(nullptr));
    test::throw_errno("execute " AS_UNIT);
}

void await_line(int from) {
    constexpr int patience_ms = 60'000;
    for (char byte = 0; byte != '\n';) {
        pollfd polled{from, POLLIN, 0};
        if (must(::poll(&polled, 1, patience_ms), "wait for the broker") == 0 ||
            must(::read(from, &byte, 1), "hear the broker") == 0)
            throw std::runtime_error("the broker does not come to listen");
    }
}

}  // namespace

UnitBroker::UnitBroker(const test::TestCgroup& cgroup)
    : socket_(Laboratory::get().dev.make_directory() + "/broker") {
    test::Pipe pipe;
    Laboratory::get().dev.drain_log();
    pid_ = must(::fork(), "start the broker");
    if (pid_ == 0) {
        try {
            become(cgroup, socket_, pipe.writer.get());
        } catch (const std::exception& error) {
            ::dprintf(STDERR_FILENO, "# %s\n", error.what());
        }
        ::_exit(125);
    }
    pipe.writer.reset();
    await_line(pipe.reader.get());
}

UnitBroker::~UnitBroker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void UnitBroker::await_rest() const {
    const std::string children = fmt::format("/proc/{0}/task/{0}/children", pid_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!test::read_file(children).empty()) {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("the broker does not come to rest");
        ::sched_yield();
    }
}

}  // namespace jail_ai::bench
