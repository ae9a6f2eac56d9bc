// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See name_files.h.
#include "policy/name_files.h"

#include <strings.h>

#include <string>

#include "base/lines.h"

namespace jail_ai {
namespace {

std::string_view next_word(std::string_view& line) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) {
        line = {};
        return {};
    }
    line.remove_prefix(begin);
    const std::size_t end = line.find_first_of(" \t\r");
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(word.size());
    return word;
}

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool names_host(std::string_view name) {
    return same_name(name, kHostName) || same_name(name, "host.docker.internal");
}

}  // namespace

std::vector<IpPrefix> host_addresses(std::string_view hosts_file) {
    std::vector<IpPrefix> addresses;
    while (!hosts_file.empty()) {
        std::string_view line = next_line(hosts_file);
        line = line.substr(0, line.find('#'));
        const auto address = IpPrefix::parse(next_word(line));
        if (!address || !address->is_single()) continue;
        for (std::string_view name = next_word(line); !name.empty(); name = next_word(line)) {
            if (!names_host(name)) continue;
            addresses.push_back(*address);
            break;
        }
    }
    return addresses;
}

std::vector<IpPrefix> name_servers(std::string_view resolv_conf) {
    std::vector<IpPrefix> addresses;
    while (!resolv_conf.empty()) {
        std::string_view line = next_line(resolv_conf);
        if (next_word(line) != "nameserver") continue;
        const auto address = IpPrefix::parse(next_word(line));
        if (address && address->is_single()) addresses.push_back(*address);
    }
    return addresses;
}

}  // namespace jail_ai
