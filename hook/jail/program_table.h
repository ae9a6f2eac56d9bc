// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The programs of a jail and where each is attached. Building, checking and finding jails all read this one table.
#pragma once

#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace jail_ai {

struct ProgramSlot {
    const char* name;  // also the kernel's name of the program, at most 15 bytes
    bpf_attach_type type;
};

inline constexpr std::array kProgramTable = std::to_array<ProgramSlot>({
    {"jail_connect4", BPF_CGROUP_INET4_CONNECT},
    {"jail_connect6", BPF_CGROUP_INET6_CONNECT},
    {"jail_sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
    {"jail_sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
    {"jail_egress", BPF_CGROUP_INET_EGRESS},
    {"jail_ingress", BPF_CGROUP_INET_INGRESS},
});

static_assert(std::ranges::all_of(kProgramTable, [](const ProgramSlot& slot) { return std::string_view(slot.name).size() < BPF_OBJ_NAME_LEN; }));

}  // namespace jail_ai
