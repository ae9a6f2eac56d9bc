// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/route_localnet.h"

#include <algorithm>

#include "system/file.h"

namespace jail_ai {

Result<std::vector<std::string>> route_localnet_interfaces() {
    const Directory directory(::opendir("/proc/sys/net/ipv4/conf"));
    if (!directory) return system_error("open /proc/sys/net/ipv4/conf", errno);
    std::vector<std::string> interfaces;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string name = entry->d_name;
        if (name.starts_with('.')) continue;
        // One may have gone meanwhile.
        const auto setting =
            read_kernel_file(::dirfd(directory.get()), (name + "/route_localnet").c_str());
        if (setting && setting->starts_with('1')) interfaces.push_back(name);
    }
    std::ranges::sort(interfaces);
    return interfaces;
}

}  // namespace jail_ai
