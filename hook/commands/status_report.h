// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What "status" prints, for people and for machines. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jail/snapshot.h"

namespace jail_ai {

// The time of printing, from which denials are "ago".
struct Now {
    std::uint64_t since_boot;  // ns of CLOCK_BOOTTIME
    std::uint64_t real;        // ns of CLOCK_REALTIME
};

std::uint64_t all_denials(const JailSnapshot& jail);

// "denied 15: local 12, metadata 3", or "nothing denied".
std::string denials_text(const JailSnapshot& jail);

std::string status_to_people(const std::vector<JailSnapshot>& jails, const Now& now);
std::string status_to_machines(const std::vector<JailSnapshot>& jails,
                               const Now& now);  // one JSON array and a newline
std::string status_to_prometheus(
    const std::vector<JailSnapshot>&
        jails);  // text format 0.0.4, for node_exporter's textfile collector

}  // namespace jail_ai
