// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the options of slirp4netns(1) and pasta(1) lead to the host: the user-mode networks of
// podman, which relay what leaves a network namespace by sockets of a process outside. Whatever
// could be mapped counts, whether it is in force or not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_prefix.h"
#include "policy/facts.h"

namespace jail_ai {

struct UserNetwork {
    std::vector<IpPrefix> mapped;  // addresses that are the host's there
    std::vector<LoopbackForward> forwards;
};

enum class NetworkHelper { none, slirp4netns, pasta };

// By the name that the kernel keeps of a process (proc_pid_comm(5)): pasta has several, by what the
// processor can do.
NetworkHelper helper_named(std::string_view comm);

// The words of a command line, as /proc/PID/cmdline has them.
std::vector<std::string_view> words_of(std::string_view command_line);

// Both add what the options say. Unknown ones are passed over.
void read_slirp_options(const std::vector<std::string_view>& options,
                        UserNetwork& network);  // "--cidr=…", and podman's "cidr=…"
void read_pasta_options(const std::vector<std::string_view>& options, UserNetwork& network);

// A helper's own command line, its first word the program. Without an option pasta forwards every
// port that is listened on.
UserNetwork read_helper(NetworkHelper helper, std::string_view command_line);

// podman's: the options behind --network=slirp4netns: and --network=pasta:, wherever they stand.
// podman itself forwards nothing that isn't asked for.
UserNetwork read_podman(std::string_view command_line);

// Does the helper carry the network namespace at that path of config.json?
bool carries(std::string_view command_line, std::string_view network_path);

}  // namespace jail_ai
