// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the documents say to write is accepted: every annotation and every flag of a policy in
// README.md and docs/*.md.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "container/settings.h"

using namespace jail_ai;

namespace {

// README.md and docs/*.md, one behind the other.
std::string documents() {
    std::vector<std::filesystem::path> paths{SOURCES "/README.md"};
    for (const auto& entry : std::filesystem::directory_iterator(SOURCES "/docs"))
        if (entry.path().extension() == ".md") paths.push_back(entry.path());
    std::stringstream text;
    for (const std::filesystem::path& path : paths) text << std::ifstream(path).rdbuf();
    return text.str();
}

std::vector<std::string> found_in_documents(const std::string& pattern) {
    const std::string text = documents();
    const std::regex wanted(pattern);
    std::vector<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), wanted), end; at != end; ++at)
        for (std::size_t group = 1; group < at->size(); ++group)
            if ((*at)[group].matched) found.push_back((*at)[group]);
    return found;
}

RawSetting split(const std::string& written) {
    const std::size_t equals = written.find('=');
    REQUIRE(equals != std::string::npos);
    return {written.substr(0, equals), written.substr(equals + 1)};
}

}  // namespace

TEST_CASE("documents: every annotation parses") {
    // On a command line, quoted or not; in a quadlet; in containers.conf.
    const auto annotations = found_in_documents(
        R"re(--annotation[ =]'([^']+)'|--annotation[ =](jail-ai[^' \"`\n]+)|Annotation=(jail-ai[^`\n]+)|annotations = \["([^"]+)"\])re");
    CHECK(annotations.size() >= 20);
    for (const std::string& annotation : annotations) {
        INFO(annotation);
        const auto [key, value] = split(annotation);
        CHECK(parse_annotations({{key, value}}));
    }
}

TEST_CASE("documents: every flag of a policy parses") {
    std::string names;
    for (const SettingWords& setting : setting_words())
        names += fmt::format("{}{}", names.empty() ? "" : "|", setting.name);
    const auto flags = found_in_documents(fmt::format(R"re((--(?:{})=[^ "`\n]+))re", names));
    CHECK(flags.size() >= 3);
    for (const std::string& flag : flags) CHECK_MESSAGE(parse_settings({split(flag)}), flag);
}
