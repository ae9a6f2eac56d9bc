// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The program outside of a container that carries its network namespace: slirp4netns(1) or
// pasta(1), with the options of a world.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace escape {

class UserNetwork {
public:
    UserNetwork() = default;
    ~UserNetwork() { stop(); }
    UserNetwork(const UserNetwork&) = delete;
    UserNetwork& operator=(const UserNetwork&) = delete;

    // Why the command can't run here; empty when it can.
    static std::string lacking(const std::vector<const char*>& command);

    // Runs the command in the namespace `outside` for the one that is `inside`, a descriptor of
    // this process: the command's word NETNS means that. Returns once the device `link` is there.
    void start(const std::vector<const char*>& command, int outside, int inside, const char* link);
    void stop();
    // Of a program that runs: a pidfd, readable when it has ended. -1 of none.
    int exited() const { return exited_.get(); }

private:
    pid_t pid_ = -1;
    jail_ai::UniqueFd exited_, said_;
};

}  // namespace escape
