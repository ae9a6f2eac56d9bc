// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Reads the files by which a container calls hosts and resolvers: as an engine mounts them, or as a
// process that runs sees them.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "container/bundle.h"
#include "policy/facts.h"
#include "system/process.h"

namespace jail_ai {

inline constexpr std::size_t kMaxResolvConf = 64U << 10;  // bytes

// What an engine mounts for them; the texts may be empty.
NameFiles name_files(const Bundle& bundle, std::string hosts, std::string resolv_conf);

// The lines of an open hosts file that name the host. Errors: EX_IOERR; EX_DATAERR for lines that
// are too long or too many.
Result<std::string> read_host_lines(int fd);

// As a process that runs sees them: whatever is in the container may have written them.
Result<NameFiles> read_name_files(const Process& process);

}  // namespace jail_ai
