// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Foreign strings in messages.
#include "base/quote.h"

#include <doctest/doctest.h>

using jail_ai::quote;

TEST_CASE("quote: one line, no control characters, no end") {
    CHECK(quote("") == "''");
    CHECK(quote("a b/c") == "'a b/c'");
    CHECK(quote("a\nb\x1b[31m\x7f") == "'a\\x0ab\\x1b[31m\\x7f'");
    CHECK(quote("it's \\") == "'it\\x27s \\x5c'");
    CHECK(quote("\xe2\x82\xac") == "'\xe2\x82\xac'");
    CHECK(quote("abcdef", 3) == "'abc…'");
}
