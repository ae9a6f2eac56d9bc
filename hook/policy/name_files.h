// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container's hosts(5) and resolv.conf(5) say about the host and about DNS. Lines that can't be read are passed over, as the
// C library does.
#pragma once

#include <string_view>
#include <vector>

#include "base/ip_prefix.h"

namespace jail_ai {

inline constexpr std::string_view kHostName = "host.containers.internal";

// Addresses that a hosts file gives host.containers.internal or host.docker.internal.
std::vector<IpPrefix> host_addresses(std::string_view hosts_file);

// Addresses of the name servers in a resolv.conf.
std::vector<IpPrefix> name_servers(std::string_view resolv_conf);

}  // namespace jail_ai
