// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One run of the real broker, on a connection whose other end belongs to whomever a test says; and
// what somebody there may send.
#pragma once

#include <linux/bpf.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "broker/protocol.h"
#include "container.h"

namespace jail_ai::test {

// A process of that uid that has connected. To the kernel it stays the peer, whoever holds the
// descriptors.
class Asker {
public:
    explicit Asker(uid_t uid);

    pid_t pid() const { return process_.pid(); }
    int descriptor(int number) const;  // a copy of one of the process's

private:
    Child process_;
    int ends_[2];
    friend class BrokerRun;
};

class BrokerRun {
public:
    // `watched`: its calls of bpf(2) with this command wait for let_one_go_on().
    explicit BrokerRun(const Asker& asker, std::vector<std::string> flags = {},
                       std::optional<bpf_cmd> watched = std::nullopt);
    ~BrokerRun();

    // The header of the message, and those descriptors beside its first byte.
    void send_header(const Message& message, const std::vector<int>& descriptors);
    void send_body(const Message& message);
    void hang_up();  // hears no answer

    // For a body that is longer than the connection's buffer: sends as much as fits and returns
    // once the broker has begun to take it, which it does when it has proved the container. Then
    // the rest.
    void begin_body(const Message& message);
    void finish_body(const Message& message);

    // False where it has ended instead.
    bool await_watched_call() const;
    void let_one_go_on() const;
    void kill();

    // What it answered, once it has ended; exit code 0 expected.
    std::string answer();
    std::string ask(const Message& message, const std::vector<int>& descriptors);

    // What it shows to that command line; "CODE: MESSAGE" where it doesn't.
    std::string show(const ShowRequest& request);

private:
    void send(std::string_view bytes, const std::vector<int>& descriptors);

    UniqueFd client_;
    UniqueFd watcher_;
    pid_t pid_;
    std::size_t sent_ = 0;  // of the body
};

// The request that createRuntime makes for the container.
Message message_for(const Container& container);

UniqueFd pidfd_of(pid_t pid);

// A user namespace as podman makes it for that user, who is root there; empty, with errno, where
// users may not have one.
UniqueFd make_user_namespace(uid_t uid);

// A user's container: in a user namespace that the user made, empty if there is none here, and in a
// cgroup below one that was delegated to the user.
struct UsersContainer {
    explicit UsersContainer(uid_t uid);

    UniqueFd user_namespace;
    TestCgroup delegated;
    std::optional<Container> container;
};

}  // namespace jail_ai::test
