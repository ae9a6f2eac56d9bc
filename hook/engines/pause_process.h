// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Rootless podman keeps a process for its user and mount namespaces, and each later podman of that
// user joins them: it finds the files that the first one found (in a service with PrivateTmp=, a
// sandbox, another root).
#pragma once

#include <optional>
#include <string>

#include "system/process.h"

namespace jail_ai {

// The caller's. Nothing if there is none that podman would join: it has ended, or the number is
// another process's by now. `runtime_dir` is $XDG_RUNTIME_DIR; podman has a place of its own where
// that is empty.
std::optional<Process> find_pause_process(const std::string& runtime_dir);

// Does it find no file under that path, which the caller finds? False if the caller may not
// look.
bool is_hidden_from(const Process& process, const std::string& path);

}  // namespace jail_ai
