// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See finding.h.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "container/json_writer.h"
#include "doctor/finding.h"

namespace jail_ai {
namespace {

std::string_view name_of(Grade grade) {
    switch (grade) {
        case Grade::ok: return "ok";
        case Grade::warning: return "warning";
        case Grade::problem: return "problem";
    }
    return "?";
}

std::string_view colour_of(Grade grade) {
    switch (grade) {
        case Grade::ok: return "\033[32m";
        case Grade::warning: return "\033[33m";
        case Grade::problem: return "\033[31m";
    }
    return "";
}

constexpr int kGradeWidth = 8;
constexpr int kTopicWidth = 11;

// What came from elsewhere was quoted where it was found; this is for the rest, file names in a message of libc's for one.
std::string printable(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(
        clean, [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; }, '?');
    return clean;
}

void write_member(JsonWriter& writer, const char* name, std::string_view text) {
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
        const std::string_view one = text.substr(at, length);
        const bool valid = length != 0 && one.size() == length && std::ranges::all_of(one.substr(1), [](char byte) { return (byte & 0xc0) == 0x80; });
        clean += valid ? one : std::string_view("\xef\xbf\xbd");
        at += valid ? length : 1;
    }
    put(writer, name, clean);
}

}  // namespace

bool block_works(const std::vector<Finding>& findings) {
    return std::ranges::none_of(findings, [](const Finding& finding) { return finding.grade == Grade::problem; });
}

std::string render_text(const std::vector<Finding>& findings, bool coloured) {
    std::string text;
    for (const Finding& finding : findings) {
        const std::string grade = fmt::format("{:<{}}", name_of(finding.grade), kGradeWidth);
        text += coloured ? fmt::format("{}{}\033[0m", colour_of(finding.grade), grade) : grade;
        text += fmt::format("{:<{}}{}\n", finding.topic, kTopicWidth, printable(finding.what));
        if (!finding.remedy.empty()) text += fmt::format("{:{}}do: {}\n", "", kGradeWidth + kTopicWidth, printable(finding.remedy));
    }
    return text + (block_works(findings) ? "the block works here\n" : "the block does not work here\n");
}

std::string render_json(const std::vector<Finding>& findings) {
    rapidjson::StringBuffer output;
    JsonWriter writer(output);
    writer.StartObject();
    writer.Key("works");
    writer.Bool(block_works(findings));
    writer.Key("findings");
    writer.StartArray();
    for (const Finding& finding : findings) {
        writer.StartObject();
        write_member(writer, "grade", name_of(finding.grade));
        write_member(writer, "topic", finding.topic);
        write_member(writer, "what", finding.what);
        write_member(writer, "remedy", finding.remedy);
        writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
    return line_of(output);
}

}  // namespace jail_ai
