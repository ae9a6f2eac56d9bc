// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container's hosts(5) and resolv.conf(5) say about the host and about DNS. Lines that can't
// be read are passed over, as the C library does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_prefix.h"
#include "base/result.h"

namespace jail_ai {

inline constexpr std::string_view kHostName = "host.containers.internal";

// Addresses that a hosts file gives host.containers.internal or host.docker.internal.
std::vector<IpPrefix> host_addresses(std::string_view hosts_file);

// Collects the lines that name the host from a hosts file that comes in pieces, however long it is
// (those that blacklist advertisers have a million lines).
class HostLines {
public:
    static constexpr std::size_t kMaxLine = 64U << 10;  // bytes
    static constexpr std::size_t kMaxKept = 64U << 10;  // bytes of all lines that name the host

    // Errors: EX_DATAERR for a line that is longer, or more lines that name the host.
    Status take(std::string_view piece);

    // The last line need not have an end.
    Result<std::string> finish() &&;

private:
    Status take_line(std::string_view line);

    std::string begun_;
    std::string kept_;
};

// Addresses of the name servers in a resolv.conf.
std::vector<IpPrefix> name_servers(std::string_view resolv_conf);

}  // namespace jail_ai
