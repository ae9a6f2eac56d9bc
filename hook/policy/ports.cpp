// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "policy/ports.h"

#include <algorithm>

namespace jail_ai {
namespace {

// Ranges of one protocol, in order, with neither touch nor overlap left.
std::vector<jail_ports> merge_protocol(const std::vector<jail_ports>& all, std::uint8_t protocol) {
    std::vector<jail_ports> ranges;
    for (jail_ports range : all) {
        if ((range.protocols & protocol) == 0) continue;
        range.protocols = protocol;
        ranges.push_back(range);
    }
    std::ranges::sort(ranges, {}, &jail_ports::first);
    std::vector<jail_ports> merged;
    for (const jail_ports& range : ranges) {
        if (!merged.empty() && range.first <= merged.back().last + 1U)
            merged.back().last = std::max(merged.back().last, range.last);
        else
            merged.push_back(range);
    }
    return merged;
}

}  // namespace

std::vector<jail_ports> merge_ports(const std::vector<jail_ports>& ranges) {
    std::vector<jail_ports> all = merge_protocol(ranges, JAIL_PORTS_TCP);
    for (const jail_ports& udp : merge_protocol(ranges, JAIL_PORTS_UDP)) {
        const auto twin = std::ranges::find_if(all, [&](const jail_ports& tcp) {
            return tcp.protocols == JAIL_PORTS_TCP && tcp.first == udp.first &&
                   tcp.last == udp.last;
        });
        if (twin == all.end())
            all.push_back(udp);
        else
            twin->protocols |= JAIL_PORTS_UDP;
    }
    std::ranges::sort(all, {}, &jail_ports::first);
    return all;
}

std::vector<jail_ports> common_ports(const std::vector<jail_ports>& a,
                                     const std::vector<jail_ports>& b) {
    std::vector<jail_ports> common;
    for (const jail_ports& left : a) {
        for (const jail_ports& right : b) {
            const jail_ports both{std::max(left.first, right.first),
                                  std::min(left.last, right.last),
                                  static_cast<std::uint8_t>(left.protocols & right.protocols), 0};
            if (both.first <= both.last && both.protocols != 0) common.push_back(both);
        }
    }
    return merge_ports(common);
}

}  // namespace jail_ai
