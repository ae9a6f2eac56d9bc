// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Help fits a screen, whoever asks for it gets it, and whoever mistypes a verb is told where they are listed.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "commands/help.h"

using namespace jail_ai;

namespace {

std::vector<std::string_view> every_verb() {
    std::vector<std::string_view> verbs;
    for (const VerbHelp& help : verb_helps()) verbs.push_back(help.verb);
    return verbs;
}

// Characters, not bytes.
std::size_t columns(const std::string& line) {
    return static_cast<std::size_t>(std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void check_fits(const std::string& text) {
    std::istringstream lines(text);
    std::string line;
    std::size_t count = 0;
    for (; std::getline(lines, line); ++count) CHECK_MESSAGE(columns(line) <= kHelpColumns, line);
    CHECK(count >= 1);
    CHECK_MESSAGE(count <= kHelpLines, text);
    CHECK(text.back() == '\n');
}

const VerbHelp* asked(std::string_view verb, std::vector<std::string> words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    return asked_help(verb, pointers);
}

}  // namespace

TEST_CASE("help: every text fits one screen") {
    check_fits(help(every_verb()));
    CHECK(verb_helps().size() >= 10);
    for (const VerbHelp& each : verb_helps()) {
        CAPTURE(each.verb);
        check_fits(help_of(each));
        CHECK(each.text.starts_with("usage: jail-ai-hook " + std::string(each.verb)));
    }
}

TEST_CASE("help: a verb that isn't there isn't listed") {
    const std::vector<std::string_view> some = {"status", "explain"};
    const std::string text = help(some);
    CHECK(text.find("\n  status ") != std::string::npos);
    CHECK(text.find("\n  watch ") == std::string::npos);
    CHECK(text.find("\n  explain ") < text.find("\n  status "));
}

TEST_CASE("help: people's verbs tell it wherever --help stands, those of machines only where it stands first") {
    const VerbHelp* status = asked("status", {"--json", "--help"});
    REQUIRE(status != nullptr);
    CHECK(status->verb == "status");
    CHECK(asked("createRuntime", {"--help"}) != nullptr);
    CHECK(asked("createRuntime", {"--block-host=true", "--help"}) == nullptr);
    CHECK(asked("status", {"--json"}) == nullptr);
    CHECK(asked("status", {}) == nullptr);
    CHECK(asked("nonsense", {"--help"}) == nullptr);
}

TEST_CASE("help: whoever asks for no verb, or for one that there is not, is told what to do") {
    const auto verbs = every_verb();
    for (const char* typed : {"stauts", "createruntime", "x", "--json"})
        CHECK(wrong_verb(typed, verbs) == fmt::format("unknown verb '{}': jail-ai-hook --help lists the verbs", typed));
    CHECK(wrong_verb("", std::vector<std::string_view>{"status", "log"}) == "no verb: jail-ai-hook status | log | --version | --help");
    CHECK(wrong_verb(std::string(10000, 's'), verbs).size() < 500);
}
