// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Leaves nothing behind, however the tests end. The tests run as first process of a pid namespace,
// with mounts and a network of their own: when it dies, every process of theirs dies and the
// namespaces go. Cgroups don't go by themselves: the supervisor removes them, and should it be
// killed too, a keeper that has outlived it does.
#pragma once

#include <functional>
#include <string>

namespace jail_ai::test {

// Runs the tests as described, below a fresh cgroup of which they are given the path, and returns
// their exit status; 128 + N when a signal ended them or was sent to the supervisor.
int supervised(const std::function<int(const std::string& cgroup)>& tests);

}  // namespace jail_ai::test
