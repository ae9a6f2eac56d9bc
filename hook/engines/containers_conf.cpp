// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/containers_conf.h"

#include "base/toml.h"

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

Result<ContainersConf> parse_containers_conf(std::string_view toml) {
    const auto document = TRY(parse_toml(toml));
    return ContainersConf{list_at(document, "engine", "hooks_dir"),
                          list_at(document, "engine", "network_cmd_options"),
                          list_at(document, "network", "pasta_options")};
}

void take_list(const std::optional<ConfiguredList>& said, std::vector<std::string>& values) {
    if (!said) return;
    if (!said->appends) values.clear();
    values.insert(values.end(), said->values.begin(), said->values.end());
}

}  // namespace jail_ai
