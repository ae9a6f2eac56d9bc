// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb that podman calls before it starts the runtime, to have the container's config.json changed.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "commands/line.h"
#include "container/request.h"

namespace jail_ai {

struct Proposal {
    std::string config;       // the config.json to be used
    std::vector<Line> lines;  // for the log
};

// Reads the proposed config.json from `input`. Where its annotations, or else the administrator, ask for the block, and the guard will not be there
// to stop sockets of other kinds, it takes these away (see seccomp/tighten.h); otherwise it gives back what it got. Needs no privilege. On
// failure the engine must not start the container, unless it asks by on-failure=run to be started all the same.
Result<Proposal> precreate(int input, const Defaults& defaults);

}  // namespace jail_ai
