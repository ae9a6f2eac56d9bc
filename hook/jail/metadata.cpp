// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/metadata.h"

#include <cstring>

namespace jail_ai {

std::optional<JailMetadata> parse_metadata(std::span<const char> value) {
    jail_about about{};
    if (value.size() < sizeof about) return std::nullopt;
    std::memcpy(&about, value.data(), sizeof about);
    if (about.version != JAIL_ABOUT_VERSION || about.inputs_size > value.size() - sizeof about)
        return std::nullopt;
    JailMetadata metadata;
    metadata.container.assign(about.container,
                              ::strnlen(about.container, sizeof about.container - 1));
    metadata.risks = about.risks;
    metadata.inputs.assign(value.data() + sizeof about, about.inputs_size);
    metadata.mode = static_cast<Mode>(about.mode);
    metadata.guard = static_cast<Guard>(about.guard);
    metadata.shares_network = about.shares_network != 0;
    metadata.since = about.since;
    metadata.engine_network = about.engine_network;
    metadata.cgroup = about.cgroup;
    return metadata;
}

}  // namespace jail_ai
