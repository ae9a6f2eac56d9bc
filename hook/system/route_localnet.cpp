// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/route_localnet.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "system/file.h"

namespace jail_ai {

Result<std::vector<std::string>> route_localnet_interfaces() {
    const std::string directory = "/proc/sys/net/ipv4/conf";
    auto interfaces = TRY(list_directory(AT_FDCWD, directory));
    std::vector<std::string> routing;
    for (std::string& name : interfaces) {
        const std::string file = fmt::format("{}/{}/route_localnet", directory, name);
        const auto setting = read_kernel_file(AT_FDCWD, file.c_str());
        if (is_absent(setting)) continue;  // gone meanwhile
        if (!setting) return setting.error();
        if (setting->starts_with('1')) routing.push_back(std::move(name));
    }
    std::ranges::sort(routing);
    return routing;
}

}  // namespace jail_ai
