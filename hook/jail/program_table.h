// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The programs of a jail and where each is attached. Building, checking and finding jails all read
// these tables.
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

// The network hooks, which every jail has.
inline constexpr std::array kProgramTable = std::to_array<ProgramSlot>({
    {"jail_connect4", BPF_CGROUP_INET4_CONNECT},
    {"jail_connect6", BPF_CGROUP_INET6_CONNECT},
    {"jail_sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
    {"jail_sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
    {"jail_egress", BPF_CGROUP_INET_EGRESS},
    {"jail_ingress", BPF_CGROUP_INET_INGRESS},
    {"jail_create", BPF_CGROUP_INET_SOCK_CREATE},
});

// The guard: all of them if BPF LSM is active, else none. Which LSM hook each is for, its
// section in bpf/guard.bpf.c says.
inline constexpr std::array kGuardTable = std::to_array<ProgramSlot>({
    {"jail_socket", BPF_LSM_CGROUP},
    {"jail_receive", BPF_LSM_CGROUP},
    {"jail_unix_conn", BPF_LSM_CGROUP},
    {"jail_unix_send", BPF_LSM_CGROUP},
    {"jail_bpf", BPF_LSM_CGROUP},
});

// In the guard's place if BPF LSM is not active, for containers in the engine's network
// namespace. The types are those of Linux 6.7.
inline constexpr auto kUnixConnect = static_cast<bpf_attach_type>(49);  // BPF_CGROUP_UNIX_CONNECT
inline constexpr auto kUnixSendmsg = static_cast<bpf_attach_type>(50);  // BPF_CGROUP_UNIX_SENDMSG
inline constexpr std::array kUnixTable = std::to_array<ProgramSlot>({
    {"jail_abs_conn", kUnixConnect},
    {"jail_abs_send", kUnixSendmsg},
});

constexpr bool fits_kernel_names(const ProgramSlot& slot) {
    return std::string_view(slot.name).size() < BPF_OBJ_NAME_LEN;
}
static_assert(std::ranges::all_of(kProgramTable, fits_kernel_names) &&
              std::ranges::all_of(kGuardTable, fits_kernel_names) &&
              std::ranges::all_of(kUnixTable, fits_kernel_names));

}  // namespace jail_ai
