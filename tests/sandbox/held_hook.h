// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The real hook, stopped by the kernel where it reads from standard input for the first time,
// reports a failure, prints, or waits for something to happen, to be looked at.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace jail_ai::test {

enum class HeldAt { first_read, first_message, first_print, first_wait };

class HeldHook {
public:
    // `before_exec` runs in the new process; standard input is /dev/null or the descriptor given.
    // Throws where the hook ends before it comes that far.
    HeldHook(const std::vector<const char*>& words, HeldAt at,
             const std::function<void()>& before_exec = {}, int input = -1);
    ~HeldHook();
    HeldHook(const HeldHook&) = delete;
    HeldHook& operator=(const HeldHook&) = delete;

    // The value of a field of /proc/PID/status, without space around it; empty if there is none.
    std::string status(const std::string& field) const;
    std::string path(const std::string& name) const;  // /proc/PID/NAME

private:
    pid_t pid_;
    UniqueFd listener_;
};

}  // namespace jail_ai::test
