// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the kernel says about BPF, by bpf(2) alone: the tests don't ask the product whether the
// product did its work.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace jail_ai::test {

struct Attachment {
    std::uint32_t id;
    std::string name;
    std::uint32_t type;   // enum bpf_attach_type
    std::uint32_t flags;  // of all programs of the type (and LSM hook) on this cgroup

    bool operator==(const Attachment&) const = default;
};

// Every cgroup program of every type attached to exactly this cgroup, in the kernel's order.
std::vector<Attachment> attachments(int cgroup_fd);
// Of those, the ones that are called jail_….
std::vector<Attachment> jail_attachments(int cgroup_fd);
std::vector<std::string> names_of(const std::vector<Attachment>& attached);

bool kernel_is_at_least(int major, int minor);

// Is BPF LSM active here, on a kernel that has LSM programs on cgroups? Then every jail has its
// guard.
bool kernel_has_guard();

// Has it hooks for Unix sockets on cgroups, and tells its types? (In a network namespace that it
// shares, a jail has those then, without a guard.)
bool kernel_has_unix_hooks();

bool program_exists(std::uint32_t id);
bool map_exists(std::uint32_t id);
std::vector<std::uint32_t> maps_of(std::uint32_t program_id);

// A program of the type cgroup sock_addr that lets everything pass.
UniqueFd load_passing_program(bpf_attach_type type, const std::string& name);
// One of that type that sets the call's result to success, whatever was said before; empty if
// the kernel has no such helper (before 5.18).
UniqueFd load_undoing_program(bpf_attach_type type);
// A program of the type cgroup skb that lets everything pass.
UniqueFd load_passing_packets(const std::string& name);
// An LSM program for cgroups on the hook ("socket_bind") that lets everything pass; only where
// kernel_has_guard().
UniqueFd load_passing_lsm(const char* hook);
void attach(int cgroup_fd, const UniqueFd& program, bpf_attach_type type, std::uint32_t flags);

// What an attacker would try; 0 or errno. `program_fd` 0 means: whatever is attached.
int try_detach(int cgroup_fd, std::uint32_t type, int program_fd);
int try_open_program(std::uint32_t id);
int detach_by_id(int cgroup_fd, std::uint32_t type, std::uint32_t program_id);

}  // namespace jail_ai::test
