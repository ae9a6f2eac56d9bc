// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Where podman finds its settings, containers.conf(5).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/user_network.h"

namespace jail_ai {

// What podman takes from the environment; empty if unset.
struct UserSettings {
    std::string containers_conf;  // CONTAINERS_CONF: that file and no other
    std::string override_conf;    // CONTAINERS_CONF_OVERRIDE: that file, too
    std::string config_home;      // XDG_CONFIG_HOME
    std::string home;             // HOME
};

// In the order in which podman reads them; those that don't exist are among them. `rootless`: the
// user's own, too. Errors: as files_in() (system/file.h).
Result<std::vector<std::string>> settings_files(const UserSettings& settings, bool rootless);

// What they say of user-mode networks, if the environment is that of process `runtime`, which
// podman has started. Errors: EX_DATAERR for one that can't be read, which names it.
Result<UserNetwork> configured_user_network(pid_t runtime);

}  // namespace jail_ai
