// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace jail_ai {
namespace {

struct Range {
    char32_t first, last;
};

// Unicode's general categories Cc, Cf, Zl, Zp, Cs, Co and Cn for good (noncharacters), and the
// default-ignorable fillers that show nothing. In order.
constexpr Range kUnprintable[] = {
    {0x0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
    {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},
    {0x890, 0x891},     {0x8e2, 0x8e2},     {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
    {0x3164, 0x3164},   {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1345f}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff}, {0x3fffe, 0x10ffff},
};

bool is_printable(char32_t point) {
    const auto* const range = std::ranges::lower_bound(kUnprintable, point, {}, &Range::last);
    return range == std::end(kUnprintable) || point < range->first;
}

std::string escape(std::string_view text, std::string_view keep, std::string_view also) {
    std::string out;
    while (!text.empty()) {
        const auto character = first_character(text);
        const std::string_view bytes = text.substr(0, character ? character->length : 1);
        text.remove_prefix(bytes.size());
        const bool is_kept =
            bytes.size() == 1 && keep.find(bytes.front()) != std::string_view::npos;
        const bool is_special =
            bytes.size() == 1 && also.find(bytes.front()) != std::string_view::npos;
        if (is_kept || (character && is_printable(character->point) && !is_special))
            out += bytes;
        else
            for (const char byte : bytes)
                fmt::format_to(std::back_inserter(out), "\\x{:02x}",
                               static_cast<unsigned char>(byte));
    }
    return out;
}

// At most so many bytes, and no part of a character.
std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most != 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    return text.substr(0, most);
}

}  // namespace

std::string printable(std::string_view text, std::string_view keep) {
    return escape(text, keep, {});
}

std::string quote(std::string_view text, std::size_t most) {
    return fmt::format("'{}{}'", escape(cut(text, most), {}, "'\\"), text.size() > most ? "…" : "");
}

}  // namespace jail_ai
