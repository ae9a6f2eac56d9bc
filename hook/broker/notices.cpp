// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/notices.h"

#include <algorithm>

namespace jail_ai {

bool Notices::is_due(uid_t person, NoticeCause cause, std::uint64_t now) {
    std::erase_if(written_, [&](const Written& each) { return now - each.at >= kSeconds; });
    const bool had_one = std::ranges::any_of(written_, [&](const Written& each) {
        return each.person == person && each.cause == cause;
    });
    if (had_one || written_.size() >= kMost) return false;
    written_.push_back({person, cause, now});
    return true;
}

}  // namespace jail_ai
