// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/turn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/quote.h"
#include "system/lock_file.h"

namespace jail_ai {
namespace {

constexpr const char* kFile = "turns";

}  // namespace

Result<Turns> Turns::open() {
    auto file = TRY(open_runtime_file(kFile));
    return Turns(std::move(file));
}

Status Turns::take(const Cgroup& cgroup) const {
    struct stat info {};
    if (::fstat(cgroup.fd(), &info) != 0) return system_error("stat the cgroup", errno);
    struct flock byte {};
    byte.l_type = F_WRLCK;
    byte.l_whence = SEEK_SET;
    byte.l_start = static_cast<off_t>(info.st_ino);
    byte.l_len = 1;
    if (::fcntl(file_.get(), F_OFD_SETLK, &byte) == 0) return ok();
    if (errno != EAGAIN && errno != EACCES) return system_error("lock a turn", errno);
    return Error{EX_TEMPFAIL, fmt::format("busy: another request for cgroup {} is being served",
                                          quote(cgroup.path()))};
}

}  // namespace jail_ai
