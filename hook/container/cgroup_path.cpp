// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/cgroup_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/quote.h"
#include "container/mountinfo.h"

namespace jail_ai {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

bool leaves_namespace(std::string_view path) {
    const auto parts = split(path, '/');
    return std::ranges::find(parts, "..") != parts.end();
}

}  // namespace

Result<std::string> parse_cgroup_path(std::string_view proc_cgroup) {
    constexpr std::string_view kDeleted = " (deleted)";
    for (std::string_view line : split(proc_cgroup, '\n')) {
        if (!line.starts_with("0::/")) continue;
        line.remove_prefix(3);
        if (line.ends_with(kDeleted))
            return Error{EX_NOINPUT, fmt::format("cgroup {} has been removed", quote(line))};
        return std::string(line);
    }
    return Error{EX_UNAVAILABLE,
                 "no '0::' line: this kernel runs without cgroup v2, which the block needs"};
}

Result<CgroupPlace> place_cgroup(std::string_view mountinfo, std::string_view cgroup_path) {
    if (leaves_namespace(cgroup_path))
        return Error{EX_CONFIG, fmt::format("cgroup {} lies outside of the hook's cgroup namespace",
                                            quote(cgroup_path))};
    std::optional<MountEntry> best;
    bool any = false;
    for (MountEntry& mount : parse_mountinfo(mountinfo)) {
        if (mount.type != "cgroup2") continue;
        any = true;
        if (leaves_namespace(mount.root) || !is_at_or_below(cgroup_path, mount.root)) continue;
        // If two mounts with the same view share a place, the later one lies on top.
        if (!best || mount.root.size() <= best->root.size()) best = std::move(mount);
    }
    if (!any)
        return Error{EX_UNAVAILABLE,
                     "no cgroup2 file system is mounted: mount -t cgroup2 none /sys/fs/cgroup, or "
                     "boot with the unified hierarchy"};
    if (!best)
        return Error{EX_CONFIG,
                     fmt::format("no cgroup2 mount shows cgroup {}", quote(cgroup_path))};
    std::string_view rest = cgroup_path.substr(best->root == "/" ? 0 : best->root.size());
    while (rest.starts_with('/')) rest.remove_prefix(1);
    return CgroupPlace{std::move(best->mount_point), rest.empty() ? "." : std::string(rest)};
}

std::string unit_or_cgroup(std::string_view path) {
    const std::string_view last = path.substr(path.rfind('/') + 1);
    for (std::string_view above = path; !above.empty();) {
        const std::size_t slash = above.rfind('/');
        const std::string_view name = above.substr(slash + 1);
        if (name.ends_with(".service") || name.ends_with(".scope")) return std::string(name);
        above = above.substr(0, slash == std::string_view::npos ? 0 : slash);
    }
    return std::string(last);
}

std::vector<std::string> find_cgroup_mounts(std::string_view mountinfo) {
    std::vector<std::string> found;
    for (MountEntry& mount : parse_mountinfo(mountinfo))
        if (mount.type == "cgroup" || mount.type == "cgroup2")
            found.push_back(std::move(mount.mount_point));
    return found;
}

}  // namespace jail_ai
