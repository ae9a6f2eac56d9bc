// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Kernels that refuse: seccomp(2) filters that make bpf(2), or other calls, fail for the process
// that installs one and all it executes.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "base/unique_fd.h"

namespace jail_ai::test {

// Every bpf(2) fails with the error.
void refuse_bpf(int error);
// bpf(2) with this command fails with the error, the others work.
void refuse_bpf_command(bpf_cmd command, int error);
// All calls with these numbers fail with the error.
void refuse_calls(const std::vector<int>& numbers, int error);
// bpf(2) with this command waits for whoever holds the returned listener (seccomp_unotify(2)).
UniqueFd watch_bpf_command(bpf_cmd command);

// The same, but once take_call() has taken a call, no signal with a handler interrupts that (Linux
// 5.19), as with a file system that answers no more.
UniqueFd watch_bpf_command_for_good(bpf_cmd command);
void take_call(int listener);

// Answers one waiting call: lets it go on, or fails it. False if the caller is gone.
bool let_go_on(int listener);
bool fail_call(int listener, int error);

}  // namespace jail_ai::test
