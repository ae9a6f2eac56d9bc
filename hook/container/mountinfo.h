// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// /proc/PID/mountinfo (proc(5)): what is mounted in a mount namespace, which of it can be reached,
// and what a runtime has added.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jail_ai {

struct MountEntry {
    int id;
    int parent;
    std::string device;  // "MAJOR:MINOR"
    std::string root;  // the part of the file system that is mounted; of cgroup file systems as the
                       // reader's cgroup namespace shows it
    std::string mount_point;  // below the process's root
    bool read_only;           // the mount; its file system may be, too
    std::string type;

    bool operator==(const MountEntry&) const = default;
};

// Lines that are none are passed over.
std::vector<MountEntry> parse_mountinfo(std::string_view mountinfo);

// The mounts that are reached from a directory on which something is mounted, "/" for all of a
// namespace: what lies on top there, and below it whatever no other mount covers. Empty if
// nothing is mounted on the directory.
std::vector<MountEntry> visible_mounts(const std::vector<MountEntry>& all,
                                       std::string_view directory);

// The mounts in `all` that `before` has not, by all but their numbers.
std::vector<MountEntry> added_mounts(const std::vector<MountEntry>& all,
                                     const std::vector<MountEntry>& before);

// Where a part of a file system is seen in a namespace with those mounts; the part itself if
// it is not.
std::string path_of_part(const std::vector<MountEntry>& mounts, std::string_view device,
                         std::string_view part);

// A mount's destination without what a runtime passes over: "/etc//x/." is "/etc/x".
std::string plain_path(std::string_view destination);

// Is `path` the directory `ancestor` or below it? Both absolute, without a slash at the end.
bool is_at_or_below(std::string_view path, std::string_view ancestor);

}  // namespace jail_ai
