// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Looks at the machine for judge_machine(). Changes nothing; what can't be looked at is left
// unsaid.
#pragma once

#include "doctor/facts.h"

namespace jail_ai {

// Of the environment that doctor was called with, for podman reads it, too.
struct Surroundings {
    std::string home;             // $HOME
    std::string config_home;      // $XDG_CONFIG_HOME
    std::string containers_conf;  // $CONTAINERS_CONF
    std::string runtime_dir;      // $XDG_RUNTIME_DIR
};

MachineFacts look_at_machine(const Surroundings& surroundings);

}  // namespace jail_ai
