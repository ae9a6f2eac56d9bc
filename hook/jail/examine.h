// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A jail as the kernel has it, in every respect in which one may differ from what was attached. Needs CAP_SYS_ADMIN, as inspect.h does.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../bpf/abi.h"
#include "base/result.h"

namespace jail_ai {

// One of our programs.
struct ExaminedProgram {
    std::string name;
    std::uint32_t id;
    std::uint32_t attach_flags;
    std::map<std::string, std::uint32_t> maps;  // ids by name
};

// Somebody else's program that runs after one of ours and may undo what that has said: of its type, a program can set the call's result
// (bpf_set_retval, Linux 5.18) and, before Linux gives that, the address that is connected to. The verdicts of cgroup_skb programs are joined
// instead, of which systemd has some.
struct Overrider {
    std::string name;
    std::uint32_t id;
    std::string after;  // the name of ours
};

struct ExaminedJail {
    std::uint64_t cgroup_id = 0;      // of its directory, by which it is told from others
    std::string cgroup;               // below the cgroup2 mount
    std::optional<jail_about> about;  // nothing where the jail is of another version, or what held it is gone
    std::vector<ExaminedProgram> programs;
    std::vector<Overrider> overriders;
};

// The cgroup's own jail; nothing where no program of ours is attached right there.
Result<std::optional<ExaminedJail>> examine_jail(int cgroup_fd);

// Those of all cgroups, in the order of their names. Errors: EX_UNAVAILABLE, EX_NOPERM, EX_OSERR.
Result<std::vector<ExaminedJail>> examine_jails();

}  // namespace jail_ai
