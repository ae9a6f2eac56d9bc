// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What README.md tells people to write is taken: every annotation and every flag of a policy in it.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "container/settings.h"

using namespace jail_ai;

namespace {

std::vector<std::string> found_in_readme(const std::string& pattern) {
    std::ifstream file(README);
    std::stringstream text;
    text << file.rdbuf();
    const std::string readme = text.str();
    const std::regex wanted(pattern);
    std::vector<std::string> found;
    for (std::sregex_iterator at(readme.begin(), readme.end(), wanted), end; at != end; ++at)
        for (std::size_t group = 1; group < at->size(); ++group)
            if ((*at)[group].matched) found.push_back((*at)[group]);
    return found;
}

Written split(const std::string& written) {
    const std::size_t equals = written.find('=');
    REQUIRE(equals != std::string::npos);
    return {written.substr(0, equals), written.substr(equals + 1)};
}

}  // namespace

TEST_CASE("README: every annotation parses") {
    // On a command line, quoted or not; in a quadlet; in containers.conf.
    const auto annotations =
        found_in_readme(R"re(--annotation '([^']+)'|--annotation (jail-ai[^' \n]+)|Annotation=(jail-ai[^`\n]+)|annotations = \["([^"]+)"\])re");
    CHECK(annotations.size() >= 14);
    for (const std::string& annotation : annotations) {
        INFO(annotation);
        const auto [key, value] = split(annotation);
        CHECK(parse_annotations({{key, value}}));
    }
}

TEST_CASE("README: every flag of a policy parses") {
    std::string names;
    for (const SettingWords& setting : setting_words()) names += fmt::format("{}{}", names.empty() ? "" : "|", setting.name);
    const auto flags = found_in_readme(fmt::format(R"re((--(?:{})=[^ "`\n]+))re", names));
    CHECK(flags.size() >= 4);
    for (const std::string& flag : flags) CHECK_MESSAGE(parse_settings({split(flag)}), flag);
}
