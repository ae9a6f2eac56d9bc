// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a jail has denied since one has last looked, by what it counts and what it remembers. Pure.
//
// There is no ring buffer: it would take four pages of each jail, and is rarely read. The programs
// remember a denial before they count it. A reader that takes the counters first therefore finds
// each counted denial remembered afterwards, unless the jail has forgotten it.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "bpf/abi.h"
#include "jail/snapshot.h"

namespace jail_ai {

class FreshDenials {
public:
    // What the jail has from before isn't fresh. Here `remembered` has to be read first: what comes
    // in between is fresh then, rather than forgotten.
    void pass_over(const std::vector<RecentDenial>& remembered, const DenialCounts& counts);

    // Returns whether anything is fresh, or was forgotten, since take().
    bool has_more(const DenialCounts& counts) const;

    // Those of one destination together: `seen.count` is how often since the last call, the rest is
    // the last one's. The oldest first. `counts` has to be read before `remembered`.
    std::vector<RecentDenial> take(const DenialCounts& counts,
                                   std::vector<RecentDenial> remembered);

    // How many since the last call were counted, and forgotten before take() found them.
    std::uint64_t take_forgotten();

private:
    struct Less {
        bool operator()(const jail_denial& a, const jail_denial& b) const {
            return std::memcmp(&a, &b, sizeof a) < 0;
        }
    };

    std::map<jail_denial, std::uint64_t, Less> known_;  // what is remembered, and how often
    std::uint64_t counted_ = 0;
    std::uint64_t reported_ = 0;  // fresh and forgotten ones
};

}  // namespace jail_ai
