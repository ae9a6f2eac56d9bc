// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/cgroup_v1.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include "system/blinding_hierarchy.h"
#include "system/file.h"

namespace jail_ai {

Status check_cgroup_v1() {
    utsname name{};
    if (::uname(&name) != 0) return system_error("ask for the kernel's release", errno);
    const auto file = TRY(open_if_there(AT_FDCWD, "/proc/cgroups", O_RDONLY));
    if (!file) return ok();  // a kernel without cgroup v1
    const auto controllers = read_all(file->get(), 1U << 16);
    if (!controllers) return Error(controllers.error()).context("/proc/cgroups");
    const std::string_view hierarchy = blinding_hierarchy(name.release, *controllers);
    if (hierarchy.empty()) return ok();
    return Error{EX_UNAVAILABLE,
                 fmt::format("the block can't be relied on: {} of cgroup v1 is mounted, and Linux "
                             "{} asks no program about sockets once it is used: boot "
                             "with systemd.unified_cgroup_hierarchy=1 or "
                             "cgroup_no_v1=net_cls,net_prio, or run Linux 5.15 or newer",
                             hierarchy, name.release)};
}

}  // namespace jail_ai
