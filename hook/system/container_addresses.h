// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The addresses of a network namespace, read off proc(5), without loopback's.
#pragma once

#include <string_view>
#include <vector>

#include "base/ip_prefix.h"

namespace jail_ai {

// From /proc/PID/net/fib_trie: single addresses of type LOCAL, each once.
std::vector<IpPrefix> container_addresses_v4(std::string_view fib_trie);

// From /proc/PID/net/if_inet6: the addresses of its interfaces.
std::vector<IpPrefix> container_addresses_v6(std::string_view if_inet6);

}  // namespace jail_ai
