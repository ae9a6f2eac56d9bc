// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/metadata.h"

#include <cstring>
#include <string_view>

namespace jail_ai {

std::optional<JailMetadata> parse_metadata(std::span<const char> value) {
    jail_about about{};
    if (value.size() < sizeof about) return std::nullopt;
    std::memcpy(&about, value.data(), sizeof about);
    if (about.version != JAIL_ABOUT_VERSION) return std::nullopt;
    const std::string_view texts(value.data() + sizeof about, value.size() - sizeof about);
    if (about.inputs_size > texts.size() || about.name_size > texts.size() - about.inputs_size)
        return std::nullopt;
    JailMetadata metadata;
    metadata.container.assign(about.container,
                              ::strnlen(about.container, sizeof about.container - 1));
    metadata.risks = about.risks;
    metadata.inputs = texts.substr(0, about.inputs_size);
    metadata.name = texts.substr(about.inputs_size, about.name_size);
    metadata.mode = static_cast<Mode>(about.mode);
    metadata.guard = static_cast<Guard>(about.guard);
    metadata.shares_network = about.shares_network != 0;
    metadata.since = about.since;
    metadata.engine_network = about.engine_network;
    metadata.cgroup = about.cgroup;
    return metadata;
}

}  // namespace jail_ai
