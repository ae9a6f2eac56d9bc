// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/container_users.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <set>
#include <string>

#include "base/absence.h"
#include "system/file.h"
#include "system/people_files.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// Of a process that is not dumpable /proc doesn't say whose it is. Its engine's monitor is.
Result<std::set<uid_t>> owners_of_processes() {
    std::set<uid_t> owners;
    const auto pids = TRY(list_processes());
    for (const pid_t pid : pids) {
        struct stat info {};
        if (::lstat(fmt::format("/proc/{}", pid).c_str(), &info) == 0) owners.insert(info.st_uid);
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
            if (const auto uid = parse_uid(name); uid && fmt::to_string(*uid) == name)
                uids.insert(*uid);
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
