// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Results as every suite here prints them: `ok - NAME`, `not ok - NAME: WHY`, `skip - NAME: WHY`, a
// line a case. A SUBCASE without subcases of its own is a case: its name follows the test case's. A
// case that asserts nothing has failed.
#pragma once

#include <string>

namespace jail_ai::test {

struct ResultCounts {
    int passed = 0;
    int failed = 0;
    int skipped = 0;
};

ResultCounts result_counts();

// Marks the running case as skipped; the caller then returns. What it asserted before still counts.
void skip_case(const std::string& why);

}  // namespace jail_ai::test

#define SKIP_CASE(why)                     \
    do {                                   \
        ::jail_ai::test::skip_case((why)); \
        return;                            \
    } while (false)
