// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The only file that includes toml++, which is all headers and takes its time to compile.
#include "engines/containers_conf.h"

#include <fmt/format.h>

#include "base/quote.h"

namespace {
struct ParserIsAtOdds {};
[[noreturn]] void give_up() {
    throw ParserIsAtOdds();
}
}  // namespace

// toml++ asserts of its input what it has not always checked before ("[&", its issue 294), and with
// NDEBUG lets the compiler build on that. Here it is an error as any other.
#undef NDEBUG
#define TOML_ASSERT(holds) ((holds) ? static_cast<void>(0) : give_up())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace jail_ai {
namespace {

std::optional<ConfiguredList> list_at(const toml::table& document, std::string_view table,
                                      std::string_view key) {
    const toml::array* array = document[table][key].as_array();
    if (array == nullptr) return std::nullopt;
    ConfiguredList list;
    for (const toml::node& node : *array) {
        if (const auto text = node.value<std::string>()) list.values.push_back(*text);
        if (const toml::table* attributes = node.as_table())
            list.appends = (*attributes)["append"].value_or(list.appends);
    }
    return list;
}

}  // namespace

Result<ContainersConf> parse_containers_conf(std::string_view toml) try {
    const toml::parse_result parsed = toml::parse(toml);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return Error{EX_DATAERR, fmt::format("not TOML: line {}: {}", error.source().begin.line,
                                             quote(error.description()))};
    }
    const toml::table& document = parsed.table();
    return ContainersConf{list_at(document, "engine", "hooks_dir"),
                          list_at(document, "engine", "network_cmd_options"),
                          list_at(document, "network", "pasta_options")};
} catch (const ParserIsAtOdds&) {
    return Error{EX_DATAERR, "not TOML"};
}

void take_list(const std::optional<ConfiguredList>& said, std::vector<std::string>& values) {
    if (!said) return;
    if (!said->appends) values.clear();
    values.insert(values.end(), said->values.begin(), said->values.end());
}

}  // namespace jail_ai
