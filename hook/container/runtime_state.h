// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What runtimes write about a container while it exists: crun in /run/crun/ID/status, runc in /run/runc/ID/state.json.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace jail_ai {

struct RuntimeState {
    pid_t pid;           // of the first process
    std::string bundle;  // absolute, or empty
};

// Errors (EX_DATAERR) say what is missing.
Result<RuntimeState> parse_crun_status(std::string_view json);
Result<RuntimeState> parse_runc_state(std::string_view json);

// Where `conmon`'s arguments, as /proc/PID/cmdline has them, name a container (-n NAME -c ID), the ID; else nothing.
std::string_view id_of_named(std::string_view cmdline, std::string_view name);

}  // namespace jail_ai
