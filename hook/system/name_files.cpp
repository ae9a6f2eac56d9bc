// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/name_files.h"

#include <fmt/format.h>
#include <strings.h>

#include <optional>
#include <utility>

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

// The address that a line of a hosts file gives the host; nothing if the line is about another
// else.
std::optional<IpPrefix> host_address(std::string_view line) {
    line = line.substr(0, line.find('#'));
    std::string_view names = line;
    const std::string_view number = next_word(names);
    for (std::string_view name = next_word(names); !name.empty(); name = next_word(names)) {
        if (!names_host(name)) continue;
        auto address = IpPrefix::parse(number);
        return address && address->is_single() ? address : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

std::vector<IpPrefix> host_addresses(std::string_view hosts_file) {
    std::vector<IpPrefix> addresses;
    while (!hosts_file.empty())
        if (const auto address = host_address(next_line(hosts_file))) addresses.push_back(*address);
    return addresses;
}

Status HostLines::take(std::string_view piece) {
    while (!piece.empty()) {
        const std::size_t end = piece.find('\n');
        const std::string_view part = piece.substr(0, end);
        if (begun_.size() + part.size() > kMaxLine)
            return Error{EX_DATAERR,
                         fmt::format("a line has more than {} bytes: shorten it", kMaxLine)};
        if (end == std::string_view::npos) {
            begun_ += part;
            return ok();
        }
        TRY(begun_.empty() ? take_line(part) : take_line(begun_ += part));
        begun_.clear();
        piece.remove_prefix(end + 1);
    }
    return ok();
}

Result<std::string> HostLines::finish() && {
    TRY(take_line(begun_));
    return std::move(kept_);
}

Status HostLines::take_line(std::string_view line) {
    if (!host_address(line)) return ok();
    if (kept_.size() + line.size() >= kMaxKept)
        return Error{
            EX_DATAERR,
            fmt::format("more than {} bytes of lines that name the host: keep one a family",
                        kMaxKept)};
    kept_ += line;
    kept_ += '\n';
    return ok();
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
