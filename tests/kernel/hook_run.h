// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One run of the real hook binary, as a runtime makes it: state on a pipe, cwd the bundle, in the
// host's network namespace, an environment that the hook has no use for. And what came of it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "netns.h"
#include "private_dev.h"
#include "seccomp_fault.h"
#include "test_cgroup.h"

namespace jail_ai::test {

struct HookCall {
    std::string state;                          // goes to standard input
    std::string bundle;                         // the directory to run in
    const NetworkNamespace* network = nullptr;  // the host's
    const TestCgroup* cgroup = nullptr;         // nullptr: the suite's own
    std::function<void()>
        before_exec;             // runs in the new process, after it has entered all the above
    bool endless_input = false;  // standard input stays open behind the state
    // Where nth is not 0: of the calls of bpf(2) with this command, this one (from 1) fails with
    // ENOMEM, or never returns. before_exec must not enter a user namespace then.
    struct {
        bpf_cmd command = BPF_PROG_ATTACH;
        int nth = 0;
        bool stalls = false;
        bool onwards = false;   // and so do all that come after it
        bool for_good = false;  // if it stalls, no signal with a handler ends that (Linux 5.19)
    } failing;
    std::vector<const char*> words = {"createRuntime"};
};

struct HookOutcome {
    int exit_code = -1;  // -1 where it didn't exit of itself
    int signal = 0;
    std::string out;
    std::string err;
    std::vector<std::string> log;       // what it wrote to syslog
    int calls = 0;                      // of the command that was to fail
    std::chrono::nanoseconds queued{};  // see queued()
    // What it has had of processors, with the processes that it has made and waited for.
    std::chrono::microseconds processors{};
};

class Conversation;

// How long the process was ready to run and had no processor, which others had; 0 if the kernel
// doesn't count that (CONFIG_SCHED_INFO).
std::chrono::nanoseconds queued(pid_t pid);

// A hook that has been started. finish() must be called, and no later than the binary is gone.
class HookRun {
public:
    HookRun(pid_t pid, std::unique_ptr<Conversation> conversation, PrivateDev& dev);
    HookRun(HookRun&&) noexcept;
    ~HookRun();

    void await_stall();  // for a call that never ends: until it has come that far
    // Has it, or does it soon, put that on its standard output?
    bool says(const std::string& part,
              std::chrono::milliseconds patience = std::chrono::seconds(60));
    HookOutcome finish();
    void stop() const;  // asks it to end (SIGTERM)
    pid_t pid() const { return pid_; }

private:
    pid_t pid_;
    std::unique_ptr<Conversation> conversation_;
    PrivateDev& dev_;
    HookOutcome outcome_;
};

class HookBinary {
public:
    HookBinary(const std::string& path, PrivateDev& dev);

    HookRun start(const HookCall& call);
    HookOutcome run(const HookCall& call) { return start(call).finish(); }
    int fd() const { return binary_.get(); }

private:
    [[noreturn]] void become(const HookCall& call, const int (&stdio)[3], int listener_to);

    UniqueFd
        binary_;  // opened once, so that also a user without access to its directory can execute it
    PrivateDev& dev_;
};

}  // namespace jail_ai::test
