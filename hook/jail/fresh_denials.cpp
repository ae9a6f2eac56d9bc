// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/fresh_denials.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace jail_ai {
namespace {

std::uint64_t sum_of(const DenialCounts& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

void FreshDenials::pass_over(const std::vector<RecentDenial>& remembered,
                             const DenialCounts& counts) {
    take(counts, remembered);
    reported_ = counted_;
}

bool FreshDenials::has_more(const DenialCounts& counts) const {
    return sum_of(counts) != counted_;
}

std::vector<RecentDenial> FreshDenials::take(const DenialCounts& counts,
                                             std::vector<RecentDenial> remembered) {
    counted_ = sum_of(counts);
    decltype(known_) now;
    std::vector<RecentDenial> fresh;
    for (RecentDenial& denial : remembered) {
        const std::uint64_t times = denial.seen.count;
        if (!now.emplace(denial.what, times).second) continue;
        const auto known = known_.find(denial.what);
        // With fewer than before it was forgotten in between.
        if (known != known_.end() && known->second <= times) denial.seen.count -= known->second;
        if (denial.seen.count == 0) continue;
        reported_ += denial.seen.count;
        fresh.push_back(denial);
    }
    known_ = std::move(now);
    std::ranges::sort(fresh, {}, [](const RecentDenial& each) { return each.seen.last; });
    return fresh;
}

std::uint64_t FreshDenials::take_forgotten() {
    if (reported_ >= counted_) return 0;  // what was remembered and not counted yet
    const std::uint64_t forgotten = counted_ - reported_;
    reported_ = counted_;
    return forgotten;
}

}  // namespace jail_ai
