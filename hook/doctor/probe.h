// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Looks at the machine for check_machine(). Changes nothing; what can't be looked at is left
// unsaid.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "doctor/facts.h"

namespace jail_ai {

// What doctor reads of its environment, because podman reads it, too.
struct Surroundings {
    std::string home;             // $HOME
    std::string config_home;      // $XDG_CONFIG_HOME
    std::string containers_conf;  // $CONTAINERS_CONF
    std::string runtime_dir;      // $XDG_RUNTIME_DIR
};

// What is tried out, which takes its caller's rights, and what the kernel and the administrator
// say. Needs the prober.
MachineFacts try_machine();

// The rest, from what others wrote: to be called when the process has confined itself.
void read_machine(const Surroundings& surroundings, MachineFacts& facts);

// Where root's podman looks for hooks, in its order, by every settings file but the one that is
// installed with this hook. Errors: EX_DATAERR for one that is not TOML, with which podman starts
// nothing; EX_NOPERM, EX_OSERR.
Result<std::vector<std::string>> others_hooks_dirs();

// The first line that `NAME --version` prints within 5 s, or why there is none; nothing if the
// program is not in the usual directories.
std::optional<std::string> program_version(const std::string& name);

// Jails a cgroup that it makes below the caller's own, has it proved, and removes both.
// Needs root and a prober (system/prober.h). Errors: EX_UNAVAILABLE if a jail doesn't act; any
// other if that can't be shown here.
Status try_to_jail();

}  // namespace jail_ai
