// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Finding and reading the jail of a cgroup, by asking the kernel. Needs CAP_SYS_ADMIN (bpf(2):
// BPF_PROG_GET_FD_BY_ID).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "jail/program_table.h"
#include "jail/snapshot.h"

namespace jail_ai {

// A program that is attached directly to a cgroup.
struct AttachedProgram {
    std::uint32_t id;
    std::string name;
    std::uint32_t attach_type;  // enum bpf_attach_type
    // BPF_F_ALLOW_MULTI and nothing else, if it is as we attach ours.
    std::uint32_t attach_flags;
    UniqueFd fd;
};

// By which the kernel knows a loaded program. Error: EX_OSERR.
Result<std::string> program_name(int program_fd);

// Ours among the programs attached directly to the cgroup at the slot's attach type, in order of
// attachment: those with the slot's name.
Result<std::vector<AttachedProgram>> attached_programs(int cgroup_fd, const ProgramSlot& slot);

// The same for all slots.
Result<std::vector<AttachedProgram>> attached_programs(int cgroup_fd);

// Those among them that are not ours.
Result<std::vector<AttachedProgram>> foreign_programs(int cgroup_fd, const ProgramSlot& slot);

// Does a program of ours act on processes of the cgroup, be it attached there or further up
// (BPF_F_QUERY_EFFECTIVE, bpf(2))?
Result<bool> is_jailed(int cgroup_fd);

// A program that acts on processes of a cgroup, be it attached there or further up, and whosever it
// is.
struct ActingProgram {
    std::uint32_t id;
    std::string name;
    std::uint32_t hook;  // of BPF_LSM_CGROUP the LSM hook, as a BTF id; else 0
};

// Those of the slot's attach type in the order in which the kernel runs them, for BPF_LSM_CGROUP
// hook by hook.
Result<std::vector<ActingProgram>> acting_programs(int cgroup_fd, const ProgramSlot& slot);

struct OpenProgram {
    std::string name;
    UniqueFd fd;
};

// The program of that id; nothing for one that is gone.
Result<std::optional<OpenProgram>> open_program(std::uint32_t id);

// The kernel's id of a loaded program.
Result<std::uint32_t> program_id(int program_fd);

// A map of a program.
struct ProgramMap {
    std::uint32_t id;
    std::string name;
    std::uint32_t value_size;  // in bytes
    UniqueFd fd;
};

// The ids of the maps that a program uses.
Result<std::set<std::uint32_t>> map_ids(int program_fd);

// Those maps, without those that are gone meanwhile.
Result<std::vector<ProgramMap>> open_maps(const std::set<std::uint32_t>& ids);

// Both.
Result<std::vector<ProgramMap>> maps_of(int program_fd);

// Reads a jail_denials; zero for a reason that a jail of another version doesn't know. Error:
// EX_OSERR.
Result<DenialCounts> read_counts(int map_fd);

// Denials of the cgroup's jail; all zero if there is none.
Result<DenialCounts> read_denials(int cgroup_fd);

}  // namespace jail_ai
