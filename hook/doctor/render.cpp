// SPDX-License-Identifier: Apache-2.0 OR MIT
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/quote.h"
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
std::string on_one_line(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(
        clean, [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; }, '?');
    return printable(clean);
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
        text += fmt::format("{:<{}}{}\n", finding.topic, kTopicWidth, on_one_line(finding.what));
        if (!finding.remedy.empty()) text += fmt::format("{:{}}do: {}\n", "", kGradeWidth + kTopicWidth, on_one_line(finding.remedy));
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
        put(writer, "grade", name_of(finding.grade));
        put(writer, "topic", finding.topic);
        put(writer, "what", finding.what);
        put(writer, "remedy", finding.remedy);
        writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
    return line_of(output);
}

}  // namespace jail_ai
