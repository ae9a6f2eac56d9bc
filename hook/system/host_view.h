// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who the host is, seen from one container.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/bundle.h"
#include "policy/policy.h"
#include "system/process.h"

namespace jail_ai {

inline constexpr std::size_t kMaxResolvConf = 64U << 10;  // bytes

// Of the files by which the container calls hosts and resolvers; empty where it has none.
struct NameFiles {
    std::string hosts;  // the lines that name the host
    std::string resolv_conf;
    bool resolv_conf_follows = false;  // the engine has a resolv.conf for the container, and nothing in it yet
};

// What an engine mounts for them; the texts may be empty.
NameFiles name_files(const Bundle& bundle, std::string hosts, std::string resolv_conf);

// The lines of an open hosts file that name the host. Errors: EX_IOERR; EX_DATAERR for lines that are too long or too many.
Result<std::string> read_host_lines(int fd);

// As a process that runs sees them: whatever is in the container may have written them.
Result<NameFiles> read_name_files(const Process& process);

// Reads the caller's network namespace, which is the engine's (of a rootless engine: the one that its containers reach the network by), and the
// container's, what the files name, and what a user-mode network maps. `network_path` is the path of the network namespace in config.json, or empty;
// the container may share the caller's network namespace.
// Errors: EX_OSERR; EX_DATAERR for settings of podman's that can't be read and count here.
Result<HostView> read_host_view(const Process& process, const NameFiles& names, const std::string& network_path, bool shares_network);

// The resolvers that a rootless engine will write, where the container's resolv.conf follows; `networks` is the directory of the user's networks.
Result<std::vector<IpPrefix>> coming_resolvers(const Process& process, const std::string& networks);

// What the settings of a rootless engine's user say of the network that the container will have; nothing where it has one, or shares the caller's.
Result<UserNetwork> coming_user_network(const Process& process);

}  // namespace jail_ai
