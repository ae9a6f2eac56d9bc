// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a benchmark says of its rounds: on a machine that others use, too, a mean says how busy they
// were.
#pragma once

#include <algorithm>
#include <vector>

namespace jail_ai::bench {

inline double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace jail_ai::bench
