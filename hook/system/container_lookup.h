// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Finding a running container by what people call it. Asked are crun's and runc's own states, podman's and CRI-O's monitor for the name, and at last
// the names of cgroups.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace jail_ai {

struct FoundContainer {
    std::string id;
    pid_t pid;           // of its first process
    std::string bundle;  // empty where it isn't known, or isn't root's
};

// `word` is an ID, the beginning of one, or a name. Errors: EX_NOINPUT where there is no such container that runs, EX_USAGE where several are
// meant.
Result<FoundContainer> find_container(const std::string& word);

}  // namespace jail_ai
