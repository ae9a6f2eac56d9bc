// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/container_users.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <optional>
#include <set>
#include <string>

#include "base/absence.h"
#include "system/file.h"
#include "system/people_files.h"

namespace jail_ai {
namespace {

// The number that it is; nothing for root's, and for what is written otherwise.
std::optional<uid_t> user_of(const std::string& name) {
    uid_t uid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), uid);
    if (error != std::errc() || fmt::to_string(uid) != name || uid == 0) return std::nullopt;
    return uid;
}

// Of a process that is not dumpable /proc doesn't say whose it is. Its engine's monitor is.
Result<std::set<uid_t>> owners_of_processes() {
    std::set<uid_t> owners;
    const UniqueFd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!proc) return system_error("open /proc", errno);
    const auto names = TRY(list_directory(proc.get(), ".", Entries::directories));
    for (const std::string& name : names) {
        struct stat info {};
        if (user_of(name) && ::fstatat(proc.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
            owners.insert(info.st_uid);
    }
    return owners;
}

}  // namespace

Result<std::vector<uid_t>> container_users() {
    PeopleFiles files;
    const People* people = TRY(files.read());
    auto uids = TRY(owners_of_processes());
    const auto sessions = list_directory(AT_FDCWD, "/run/user", Entries::directories);
    if (!sessions && !is_absent(sessions)) return sessions.error();
    if (sessions)
        for (const std::string& name : *sessions)
            if (const auto uid = user_of(name)) uids.insert(*uid);
    std::set<uid_t> known, unknown;
    for (const uid_t uid : uids) {
        const auto owner = people->owner_of(uid);
        (owner ? known : unknown).insert(owner.value_or(uid));
    }
    std::vector<uid_t> users;
    for (const auto& some : {known, unknown})
        for (const uid_t uid : some)
            if (uid != 0) users.push_back(uid);
    return users;
}

}  // namespace jail_ai
