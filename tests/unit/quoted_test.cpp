// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Foreign strings in messages.
#include "base/quoted.h"

#include <doctest/doctest.h>

using jail_ai::quoted;

TEST_CASE("quoted: one line, no control characters, no end") {
    CHECK(quoted("") == "''");
    CHECK(quoted("a b/c") == "'a b/c'");
    CHECK(quoted("a\nb\x1b[31m\x7f") == "'a\\x0ab\\x1b[31m\\x7f'");
    CHECK(quoted("it's \\") == "'it\\x27s \\x5c'");
    CHECK(quoted("\xe2\x82\xac") == "'\xe2\x82\xac'");
    CHECK(quoted("abcdef", 3) == "'abc…'");
}
