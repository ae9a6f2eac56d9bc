// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "hook_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "descriptor.h"
#include "files.h"
#include "must.h"
#include "pipe.h"

namespace jail_ai::test {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);  // much more than its own deadline

std::chrono::microseconds duration_of(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

// Moves bytes between the hook and the test until the hook has closed its outputs.
class Conversation {
public:
    Conversation(const HookCall& call, UniqueFd input, UniqueFd out, UniqueFd err,
                 UniqueFd listener)
        : input_(std::move(input)),
          state_(call.state),
          endless_(call.endless_input),
          out_(std::move(out)),
          err_(std::move(err)),
          listener_(std::move(listener)),
          failing_call_(call.failing.nth),
          stalls_(call.failing.stalls),
          onwards_(call.failing.onwards),
          for_good_(call.failing.for_good) {
        must(::fcntl(input_.get(), F_SETFL, O_NONBLOCK), "make a pipe nonblocking");
        write_some();  // a hook that is started gets on, whoever the test talks to meanwhile
    }

    // Until the hook has closed its outputs, or that is so. False when it takes too long.
    bool hold(HookOutcome& outcome, const std::function<bool()>& is_enough,
              std::chrono::milliseconds patience = kPatience) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while ((out_ || err_) && !is_enough()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
            pollfd polled[4] = {{out_.get(), POLLIN, 0},
                                {err_.get(), POLLIN, 0},
                                {left_.empty() ? -1 : input_.get(), POLLOUT, 0},
                                {listener_.get(), POLLIN, 0}};
            must(::poll(polled, 4, static_cast<int>(left.count())), "wait for the hook");
            if (polled[0].revents != 0) read_some(out_, outcome.out);
            if (polled[1].revents != 0) read_some(err_, outcome.err);
            if (polled[2].revents != 0) write_some();
            if ((polled[3].revents & POLLIN) != 0 && !stalled_) answer_call(outcome);
            if ((polled[3].revents & POLLHUP) != 0) listener_.reset();
        }
        return true;
    }

    // Nothing comes any more, by the test's own doing.
    bool is_stalled() const { return stalled_ || (endless_ && left_.empty()); }

private:
    static void read_some(UniqueFd& from, std::string& to) {
        char text[4096];
        const ssize_t got = must(::read(from.get(), text, sizeof text), "read from the hook");
        if (got == 0) from.reset();
        to.append(text, static_cast<std::size_t>(got));
    }
    void write_some() {
        const ssize_t put = ::write(input_.get(), left_.data(), left_.size());
        if (put > 0) left_.remove_prefix(static_cast<std::size_t>(put));
        if (put < 0 && errno != EAGAIN) left_ = {};  // a hook that has read enough closes its end
        close_when_said();
    }
    void close_when_said() {
        if (left_.empty() && !endless_) input_.reset();
    }
    void answer_call(HookOutcome& outcome) {
        if (++outcome.calls == failing_call_ && stalls_) {
            stalled_ = true;  // it stays unanswered
            if (for_good_) take_call(listener_.get());
        } else if (outcome.calls == failing_call_ || (onwards_ && outcome.calls > failing_call_))
            fail_call(listener_.get(), ENOMEM);
        else
            let_go_on(listener_.get());
    }

    UniqueFd input_;
    std::string state_;
    std::string_view left_ = state_;
    bool endless_;
    UniqueFd out_;
    UniqueFd err_;
    UniqueFd listener_;
    int failing_call_;
    bool stalls_;
    bool onwards_;
    bool for_good_;
    bool stalled_ = false;
};

// By schedstat's second number, which is still there of a process that has ended and not been
// reaped.
std::chrono::nanoseconds queued(pid_t pid) {
    std::ifstream schedstat("/proc/" + std::to_string(pid) + "/schedstat");
    std::uint64_t ran = 0, queued = 0;
    schedstat >> ran >> queued;
    return std::chrono::nanoseconds(queued);
}

HookBinary::HookBinary(const std::string& path, PrivateDev& dev)
    : binary_(must(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open the hook " + path)),
      dev_(dev) {}

void HookBinary::become(const HookCall& call, const int (&stdio)[3], int listener_to) {
    try {
        if (call.cgroup != nullptr) write_file("cgroup.procs", "0", call.cgroup->fd());
        if (call.network != nullptr)
            must(::setns(call.network->fd(), CLONE_NEWNET), "enter the host's network namespace");
        must(::chdir(call.bundle.c_str()), "enter the bundle");
        for (int fd = 0; fd < 3; fd++)
            must(::dup2(stdio[fd], fd), "hand over standard input and output");
        if (call.before_exec) call.before_exec();
        if (listener_to >= 0)
            send_descriptor(listener_to, (call.failing.for_good
                                              ? watch_bpf_command_for_good(call.failing.command)
                                              : watch_bpf_command(call.failing.command))
                                             .get());
        std::vector<const char*> arguments{"jail-ai-hook"};
        arguments.insert(arguments.end(), call.words.begin(), call.words.end());
        arguments.push_back(nullptr);
        const char* environment[] = {"LANG=C", nullptr};
        ::fexecve(binary_.get(), const_cast<char**>(arguments.data()),
                  const_cast<char**>(environment));
        throw_errno("execute the hook");
    } catch (const std::exception& error) {
        ::dprintf(STDERR_FILENO, "test: %s\n", error.what());
    }
    ::_exit(125);
}

HookRun HookBinary::start(const HookCall& call) {
    dev_.drain_log();
    Pipe in, out, err;
    UniqueFd listener_from, listener_to;
    if (call.failing.nth != 0) {
        int ends[2];
        must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
             "make a channel for the listener");
        listener_from = UniqueFd(ends[0]);
        listener_to = UniqueFd(ends[1]);
    }
    const pid_t pid = must(::fork(), "start the hook");
    if (pid == 0)
        become(call, {in.reader.get(), out.writer.get(), err.writer.get()}, listener_to.get());
    in.reader.reset();
    out.writer.reset();
    err.writer.reset();
    listener_to.reset();

    UniqueFd listener;
    if (listener_from) listener = receive_descriptor(listener_from.get());
    return {pid,
            std::make_unique<Conversation>(call, std::move(in.writer), std::move(out.reader),
                                           std::move(err.reader), std::move(listener)),
            dev_};
}

HookRun::HookRun(pid_t pid, std::unique_ptr<Conversation> conversation, PrivateDev& dev)
    : pid_(pid), conversation_(std::move(conversation)), dev_(dev) {}

HookRun::HookRun(HookRun&&) noexcept = default;

HookRun::~HookRun() = default;

void HookRun::await_stall() {
    if (!conversation_->hold(outcome_, [&] { return conversation_->is_stalled(); }))
        throw std::runtime_error("the hook does not get to where it stalls");
}

bool HookRun::says(const std::string& part, std::chrono::milliseconds patience) {
    const auto has_come = [&] { return outcome_.out.find(part) != std::string::npos; };
    conversation_->hold(outcome_, has_come, patience);
    return has_come();
}

void HookRun::stop() const {
    must(::kill(pid_, SIGTERM), "stop the hook");
}

HookOutcome HookRun::finish() {
    HookOutcome& outcome = outcome_;
    if (!conversation_->hold(outcome, [] { return false; })) {
        outcome.err += "test: the hook does not end\n";
        ::kill(pid_, SIGKILL);
    }
    siginfo_t info{};
    must(::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT),
         "wait for the hook's end");
    outcome.queued = queued(pid_);
    int status = 0;
    rusage used{};
    must(::wait4(pid_, &status, 0, &used), "reap the hook");
    outcome.processors = duration_of(used.ru_utime) + duration_of(used.ru_stime);
    if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    outcome.log = dev_.take_log(pid_);
    return outcome;
}

}  // namespace jail_ai::test
