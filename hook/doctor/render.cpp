// SPDX-License-Identifier: Apache-2.0 OR MIT
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/quote.h"
#include "container/json_writer.h"
#include "doctor/finding.h"

namespace jail_ai {
namespace {

std::string_view colour_of(FindingKind grade) {
    switch (grade) {
        case FindingKind::ok: return "\033[32m";
        case FindingKind::warning: return "\033[33m";
        case FindingKind::problem: return "\033[31m";
        default: return "";
    }
    return "";
}

constexpr int kGradeWidth = 8;
constexpr int kTopicWidth = 11;

// What came from elsewhere was quoted where it was found; this is for the rest, file names in a
// message of libc's for one.
std::string on_one_line(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(
        clean, [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; }, '?');
    return printable(clean);
}

}  // namespace

bool block_works(const Findings& findings) {
    return std::ranges::none_of(
        findings, [](const Finding& finding) { return finding.kind == FindingKind::problem; });
}

std::string render_text(const Findings& findings, bool coloured) {
    std::string text;
    for (const Finding& finding : findings) {
        const std::string grade = fmt::format("{:<{}}", name_of(finding.kind), kGradeWidth);
        text += coloured ? fmt::format("{}{}\033[0m", colour_of(finding.kind), grade) : grade;
        text += fmt::format("{:<{}}{}\n", finding.about, kTopicWidth, on_one_line(finding.what));
        if (!finding.remedy.empty())
            text += fmt::format("{:{}}do: {}\n", "", kGradeWidth + kTopicWidth,
                                on_one_line(finding.remedy));
    }
    return text +
           (block_works(findings) ? "the block works here\n" : "the block does not work here\n");
}

std::string render_json(const Findings& findings) {
    rapidjson::StringBuffer output;
    JsonWriter writer(output);
    writer.StartObject();
    writer.Key("works");
    writer.Bool(block_works(findings));
    put_findings(writer, findings, "grade", "topic");
    writer.EndObject();
    return line_of(output);
}

}  // namespace jail_ai
