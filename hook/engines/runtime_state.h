// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What runtimes write about a container while it exists: crun in ROOT/ID/status, runc in
// ROOT/ID/state.json, where ROOT is /run/crun or /run/runc unless the engine has another.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "engines/running_container.h"

namespace jail_ai {

// Process, start and bundle of a container. The start of the process is in clock ticks since
// boot, as field 22 of /proc/PID/stat has it (proc(5)): another process of that number has another.
// Errors (EX_DATAERR) say what is missing.
Result<RunningContainer> parse_crun_status(std::string_view json);
Result<RunningContainer> parse_runc_state(std::string_view json);

// Field 22 of a /proc/PID/stat; nothing if that is none. The second field is what the process
// calls itself, brackets and blanks included.
std::optional<std::uint64_t> start_time(std::string_view stat);

// Which container a `conmon` holds, by its arguments as /proc/PID/cmdline has them (-c ID -n NAME).
struct Monitored {
    std::string_view id;
    std::string_view name;  // what is_container_id() takes, as podman's and CRI-O's names are, and
                            // of at most kMaxName characters
};
constexpr std::size_t kMaxName = 255;

// Nothing if these are no such arguments.
std::optional<Monitored> monitored_by(std::string_view cmdline);

// Docker's name for a container, by its config.v2.json. Error (EX_DATAERR): that is another
// container's, or has no name.
Result<std::string> parse_docker_name(std::string_view json, std::string_view id);

}  // namespace jail_ai
