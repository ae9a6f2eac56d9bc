// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A seccomp profile (linux.seccomp of config.json) that lets sockets be opened of the families in
// socket_families.h alone, and otherwise says what it said. The limits of that are those of seccomp
// and of libseccomp, which crun and runc use:
//
//  - 32-bit programs on x86 may open sockets by socketcall(2), whose arguments lie in memory that
//    seccomp doesn't see, and libseccomp makes of each rule for socket one for socketcall as well,
//    whatever the family. So the 32-bit architectures that have socketcall go out of the profile,
//    and the kernel kills a program that makes such a system call, unless the container accepts
//    ia32. Those of ARM have none and stay.
//  - On s390x, PowerPC and i386 socketcall belongs to the machine's own architecture, which no
//    profile can leave out. There families can't be distinguished, and the profile stays as it is.
//  - io_uring opens sockets past seccomp (IORING_OP_SOCKET, Linux 5.19), so io_uring_setup is
//    denied.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/json_part.h"

namespace jail_ai {

struct TightProfile {
    std::string profile;                 // the object's text; empty: there is to be none
    std::vector<std::string> left_open;  // the ways that stay open, for the log
};

// On this machine's own architecture programs open sockets by socketcall(2): no profile
// distinguishes families apart.
bool seccomp_is_blind();

// Is the profile also for an architecture whose programs may open sockets by socketcall(2)? Errors:
// EX_DATAERR.
Result<bool> has_socketcall(const rapidjson::Value& seccomp);

// `seccomp` must be an object. Errors: EX_DATAERR, EX_CONFIG.
Result<TightProfile> tighten_profile(const JsonPart& seccomp, bool accepts_ia32);

// For a container that has no profile: everything else passes.
Result<TightProfile> new_profile(bool accepts_ia32);

}  // namespace jail_ai
