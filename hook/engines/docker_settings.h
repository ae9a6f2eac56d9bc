// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// daemon.json, by which Docker finds the runtimes that stand before runc: it calls no hooks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

struct DockerSettings {
    std::vector<std::string> runtimes;  // those that call the hook, by name, in their order
    bool by_default = false;            // a container without --runtime gets one of these
};

// Error (EX_DATAERR): it is not JSON, or its runtimes are no objects.
Result<DockerSettings> parse_docker_settings(std::string_view json);

}  // namespace jail_ai
