// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/mountinfo.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/lines.h"
#include "base/number.h"

namespace jail_ai {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t end = text.find(' ');
        words.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return words;
        text.remove_prefix(end + 1);
    }
}

// Space, tab, newline and backslash are written as \ooo.
std::string unescape(std::string_view field) {
    std::string out;
    for (std::size_t i = 0; i < field.size(); ++i) {
        auto octal = [&](std::size_t at) {
            return at < field.size() && field[at] >= '0' && field[at] <= '7';
        };
        if (field[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
            out += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 +
                                     (field[i + 3] - '0'));
            i += 3;
        } else {
            out += field[i];
        }
    }
    return out;
}

// 36 35 98:0 ROOT MOUNT_POINT options optional… - FSTYPE source super_options
std::optional<MountEntry> parse_line(std::string_view line) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) return std::nullopt;
    const auto fields = words_of(line.substr(0, dash));
    if (fields.size() < 6) return std::nullopt;
    const auto id = parse_number<int>(fields[0]);
    const auto parent = parse_number<int>(fields[1]);
    if (!id || !parent) return std::nullopt;
    const std::string_view options = fields[5];
    const bool read_only = options == "ro" || options.starts_with("ro,");
    return MountEntry{*id,
                      *parent,
                      std::string(fields[2]),
                      unescape(fields[3]),
                      unescape(fields[4]),
                      read_only,
                      std::string(words_of(line.substr(dash + 3)).front())};
}

bool is_strictly_below(std::string_view path, std::string_view ancestor) {
    return path != ancestor && is_at_or_below(path, ancestor);
}

// Reached are the children of what is reached, unless another child of the same parent lies in
// front of them.
std::vector<MountEntry> reached_from(const MountEntry& start, const std::vector<MountEntry>& all) {
    std::vector<MountEntry> visible;
    std::set<int> seen;  // parents that lead in a circle end here
    for (std::vector<const MountEntry*> open = {&start}; !open.empty();) {
        const MountEntry& mount = *open.back();
        open.pop_back();
        if (!seen.insert(mount.id).second) continue;
        std::vector<const MountEntry*> children;
        std::vector<const MountEntry*> on_top;
        for (const MountEntry& other : all) {
            if (other.parent != mount.id || other.id == mount.id) continue;
            (other.mount_point == mount.mount_point ? on_top : children).push_back(&other);
        }
        open.insert(open.end(), on_top.begin(), on_top.end());
        if (!on_top.empty()) continue;  // nothing of this one is seen, nor what is mounted on it
        visible.push_back(mount);
        for (const MountEntry* child : children) {
            const bool is_covered = std::ranges::any_of(children, [&](const MountEntry* other) {
                return is_strictly_below(child->mount_point, other->mount_point);
            });
            if (!is_covered) open.push_back(child);
        }
    }
    return visible;
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view mountinfo) {
    std::vector<MountEntry> all;
    while (!mountinfo.empty())
        if (auto mount = parse_line(next_line(mountinfo))) all.push_back(std::move(*mount));
    return all;
}

std::vector<MountEntry> visible_mounts(const std::vector<MountEntry>& all,
                                       std::string_view directory) {
    const auto is_there = [&](const MountEntry& mount) { return mount.mount_point == directory; };
    // The lowest of a stack: its parent is not in it.
    for (const MountEntry& mount : all) {
        if (!is_there(mount)) continue;
        const bool has_lower = std::ranges::any_of(all, [&](const MountEntry& other) {
            return is_there(other) && other.id == mount.parent && other.id != mount.id;
        });
        if (!has_lower) return reached_from(mount, all);
    }
    return {};
}

std::vector<MountEntry> added_mounts(const std::vector<MountEntry>& all,
                                     const std::vector<MountEntry>& before) {
    const auto key = [](const MountEntry& mount) {
        return std::tuple(mount.device, mount.root, mount.mount_point, mount.type);
    };
    std::multiset<std::tuple<std::string, std::string, std::string, std::string>> known;
    for (const MountEntry& mount : before) known.insert(key(mount));
    std::vector<MountEntry> added;
    for (const MountEntry& mount : all) {
        if (const auto same = known.find(key(mount)); same != known.end())
            known.erase(same);
        else
            added.push_back(mount);
    }
    return added;
}

std::string path_of_part(const std::vector<MountEntry>& mounts, std::string_view device,
                         std::string_view part) {
    const MountEntry* best = nullptr;
    for (const MountEntry& mount : mounts) {
        if (mount.device != device || !is_at_or_below(part, mount.root)) continue;
        if (best == nullptr || mount.root.size() > best->root.size()) best = &mount;
    }
    if (best == nullptr) return std::string(part);
    const std::string_view rest = best->root == "/" ? part : part.substr(best->root.size());
    const std::string path = (best->mount_point == "/" ? "" : best->mount_point) +
                             (rest == "/" ? "" : std::string(rest));
    return path.empty() ? "/" : path;
}

std::string plain_path(std::string_view destination) {
    std::string path;
    while (!destination.empty()) {
        const std::string_view name = destination.substr(0, destination.find('/'));
        destination.remove_prefix(std::min(name.size() + 1, destination.size()));
        if (!name.empty() && name != ".") path += fmt::format("/{}", name);
    }
    return path.empty() ? "/" : path;
}

bool is_at_or_below(std::string_view path, std::string_view ancestor) {
    if (ancestor == "/") return path.starts_with('/');
    return path.starts_with(ancestor) &&
           (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

}  // namespace jail_ai
