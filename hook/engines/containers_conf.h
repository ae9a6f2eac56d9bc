// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What containers.conf(5) says of what matters here. podman reads several such files; what a later
// one says of a list replaces what stands in those before, or is added to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

// A list as one file has it.
struct ConfiguredList {
    std::vector<std::string> values;
    bool appends =
        false;  // to what the files before say: {append=true} among the values (podman 5)

    bool operator==(const ConfiguredList&) const = default;
};

struct ContainersConf {
    std::optional<ConfiguredList> hooks_dir;            // [engine]
    std::optional<ConfiguredList> network_cmd_options;  // [engine]: slirp4netns
    std::optional<ConfiguredList> pasta_options;        // [network]
};

// Reads one file. Errors (EX_DATAERR): it isn't TOML, for which podman starts nothing.
Result<ContainersConf> parse_containers_conf(std::string_view toml);

// What holds once one more file has been read.
void take_list(const std::optional<ConfiguredList>& said, std::vector<std::string>& values);

}  // namespace jail_ai
