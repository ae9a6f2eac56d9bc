// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A process that stands where a test needs one (a cgroup, a network namespace, a container's
// namespaces) and does there what the test says, one thing at a time; in between it is as paused as
// a container's init before the start.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstring>
#include <type_traits>

#include "base/unique_fd.h"
#include "netns.h"
#include "test_cgroup.h"

namespace jail_ai::test {

struct Whereabouts {
    const TestCgroup* cgroup = nullptr;         // nullptr: the suite's own
    const NetworkNamespace* network = nullptr;  // nullptr: the suite's own
    int user_namespace = -1;                    // entered as its root, -1 for none
    bool container_namespaces =
        false;  // mount, pid, ipc, uts and cgroup namespaces of its own, as an engine gives them
    int cgroup_directory = -1;  // instead of `cgroup`: any cgroup2 directory
};

class Child {
public:
    explicit Child(const Whereabouts& where);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }

    // Calls the function in the child and returns what it returned. Both travel as bytes: the child
    // is a fork, its code lies at the same addresses. So capture values, descriptors that are older
    // than the child among them, and no pointers to what is newer.
    template <typename Function>
    auto run(Function function) {
        using Returned = std::invoke_result_t<Function>;
        static_assert(std::is_trivially_copyable_v<Function> &&
                      sizeof(Function) <= sizeof(Command::closure));
        static_assert(std::is_trivially_copyable_v<Returned> &&
                      sizeof(Returned) <= sizeof(Answer::returned));
        Command command{};
        command.call = [](const void* closure, void* returned) {
            alignas(Function) char copy[sizeof(Function)];
            std::memcpy(copy, closure, sizeof copy);
            const Returned value = (*reinterpret_cast<Function*>(copy))();
            std::memcpy(returned, &value, sizeof value);
        };
        std::memcpy(command.closure.data(), &function, sizeof function);
        const Answer answer = ask(command);
        Returned value;
        std::memcpy(&value, answer.returned.data(), sizeof value);
        return value;
    }

    void end();   // kills and reaps it
    void kill();  // leaves a zombie until end()

private:
    struct Command {
        void (*call)(const void* closure, void* returned);
        std::array<char, 512> closure;
    };
    struct Answer {
        std::array<char, 256> returned;
    };

    Answer ask(const Command& command);
    [[noreturn]] static void obey(int commands);

    pid_t pid_ = -1;
    UniqueFd commands_;
};

// Enters the user namespace, as its root.
void become_root_of(int user_namespace);

}  // namespace jail_ai::test
