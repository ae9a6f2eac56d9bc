// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/people_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include "base/absence.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr const char* kSubuid = "/etc/subuid";
constexpr const char* kPasswd = "/etc/passwd";
constexpr std::size_t kMostOfFile = 32U << 20;

// A machine without rootless engines may have no /etc/subuid.
Result<std::string> text_of(const char* path) {
    auto text = read_regular_file(AT_FDCWD, path, kMostOfFile);
    if (is_absent(text)) return std::string();
    return text;
}

}  // namespace

PeopleFiles::Version PeopleFiles::version_of(const char* path) {
    struct stat info {};
    if (::stat(path, &info) != 0) return {};
    return {info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

Result<const People*> PeopleFiles::read() {
    const std::array<Version, 2> versions = {version_of(kSubuid), version_of(kPasswd)};
    if (!is_read_ || versions != versions_) {
        const std::string subuid = TRY(text_of(kSubuid));
        const std::string passwd = TRY(text_of(kPasswd));
        people_ = People(subuid, passwd);
        versions_ = versions;
        is_read_ = true;
    }
    return &people_;
}

}  // namespace jail_ai
