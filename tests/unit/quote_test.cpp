// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Foreign strings in messages.
#include "base/quote.h"

#include <doctest/doctest.h>

#include <cstdint>

#include "base/utf8.h"

using jail_ai::printable;
using jail_ai::quote;
using jail_ai::valid_utf8;

TEST_CASE("quote: one line, no control characters, no end") {
    CHECK(quote("") == "''");
    CHECK(quote("a b/c") == "'a b/c'");
    CHECK(quote("a\nb\x1b[31m\x7f") == "'a\\x0ab\\x1b[31m\\x7f'");
    CHECK(quote("it's \\") == "'it\\x27s \\x5c'");
    CHECK(quote("\xe2\x82\xac") == "'\xe2\x82\xac'");
    CHECK(quote("abcdef", 3) == "'abc…'");
}

TEST_CASE("quote: a cut leaves no part of a character") {
    CHECK(quote("ab\xe2\x82\xac", 3) == "'ab…'");
    CHECK(quote("ab\xe2\x82\xac", 4) == "'ab…'");
    CHECK(quote("ab\xe2\x82\xac", 5) == "'ab\xe2\x82\xac'");
    CHECK(quote("\x80\x80\x80", 2) == "'…'");
}

TEST_CASE("printable: what people write stays") {
    for (const char* text : {"", "claude", "naïve café", "Ærøskøbing", "日本語", "Привет",
                             "العربية", "עברית", "😀", "\\", "'"})
        CHECK(printable(text) == text);
    CHECK(printable("a\nb\tc", "\n") == "a\nb\\x09c");
}

TEST_CASE(
    "printable: what moves the cursor, turns text round, hides, or is no character, is escaped") {
    struct Row {
        const char* name;
        std::string_view text, shown;
    };
    const Row rows[] = {
        {"NUL", std::string_view("\0", 1), "\\x00"},
        {"escape", "\x1b[2J", "\\x1b[2J"},
        {"CSI of C1", "\xc2\x9b\x32J", "\\xc2\\x9b2J"},
        {"CSI of C1, as one byte", "\x9b\x32J", "\\x9b2J"},
        {"next line", "\xc2\x85", "\\xc2\\x85"},
        {"right-to-left override", "\xe2\x80\xaegnp.exe", "\\xe2\\x80\\xaegnp.exe"},
        {"first strong isolate", "\xe2\x81\xa8", "\\xe2\\x81\\xa8"},
        {"Arabic letter mark", "\xd8\x9c", "\\xd8\\x9c"},
        {"zero width space", "a\xe2\x80\x8b", "a\\xe2\\x80\\x8b"},
        {"line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
        {"soft hyphen", "\xc2\xad", "\\xc2\\xad"},
        {"byte order mark", "\xef\xbb\xbf", "\\xef\\xbb\\xbf"},
        {"tag", "\xf3\xa0\x81\xa1", "\\xf3\\xa0\\x81\\xa1"},
        {"private use", "\xee\x80\x80", "\\xee\\x80\\x80"},
        {"noncharacter", "\xef\xbf\xbf", "\\xef\\xbf\\xbf"},
        {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"too long a form of /", "\xc0\xaf", "\\xc0\\xaf"},
        {"too long a form of escape", "\xe0\x80\x9b", "\\xe0\\x80\\x9b"},
        {"above the last one", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"half of one", "\xe2\x82", "\\xe2\\x82"},
        {"Latin-1", "caf\xe9", "caf\\xe9"},
    };
    for (const Row& row : rows) {
        const auto& [name, text, shown] = row;
        CAPTURE(row.name);
        CHECK(printable(text) == shown);
        CHECK(quote(text) == "'" + std::string(shown) + "'");
        CHECK(printable(shown) == shown);
    }
}

TEST_CASE("UTF-8: whatever the bytes, JSON's text is UTF-8, and what is UTF-8 stays") {
    CHECK(valid_utf8("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
          "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    CHECK(valid_utf8("a\xff") == "a\xef\xbf\xbd");
    CHECK(valid_utf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    std::uint32_t random = 1;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes;
        for (int length = 0; length < 6; ++length) {
            random = random * 1'664'525 + 1'013'904'223;
            bytes += static_cast<char>((random >> 24) | (round % 2 == 0 ? 0x80 : 0));
        }
        const std::string valid = valid_utf8(bytes);
        CHECK(valid_utf8(valid) == valid);
        const std::string shown = printable(bytes);
        CHECK(valid_utf8(shown) == shown);
        CHECK(printable(shown) == shown);
    }
}
