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
    std::erase_if(interfaces, [&](const std::string& name) {
        // One may have gone meanwhile.
        const std::string file = fmt::format("{}/{}/route_localnet", directory, name);
        const auto setting = read_kernel_file(AT_FDCWD, file.c_str());
        return !setting || !setting->starts_with('1');
    });
    std::ranges::sort(interfaces);
    return interfaces;
}

}  // namespace jail_ai
