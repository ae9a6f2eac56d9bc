// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/cgroup_view.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/quote.h"
#include "container/cgroup_path.h"
#include "system/file.h"

namespace jail_ai {

Result<std::vector<CgroupView>> cgroups_of(const Process& process) {
    auto text = TRY(read_kernel_file(process.proc_fd(), "cgroup"));
    auto path = parse_cgroup_path(text);
    if (!path) return std::move(path).error().context(fmt::format("process {}", process.pid()));
    auto self = TRY(open_proc_self());
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    std::vector<CgroupView> cgroups;
    while (path->size() > 1) {
        auto place = place_cgroup(mountinfo, *path);
        if (!place) return cgroups.empty() ? Result<std::vector<CgroupView>>(std::move(place).error()) : std::move(cgroups);
        const std::string where = fmt::format("{}/{}", place->mount_point, place->path);
        UniqueFd fd(::open(where.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd) return system_error(fmt::format("open cgroup {}", quote(where)), errno);
        cgroups.push_back({std::move(fd), *path});
        path->resize(path->rfind('/'));
    }
    return cgroups;
}

}  // namespace jail_ai
