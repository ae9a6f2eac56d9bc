// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the kernel charges for a jail's programs and maps, by the descriptors' own account
// (/proc/PID/fdinfo, memlock).
#pragma once

#include <bpf/bpf.h>

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>

#include "base/unique_fd.h"
#include "files.h"
#include "kernel_bpf.h"

namespace jail_ai::test {

struct JailMemory {
    std::uint64_t programs = 0, maps = 0;  // bytes
    std::uint64_t all() const { return programs + maps; }
};

inline std::uint64_t memlock_of(const UniqueFd& fd) {
    constexpr std::string_view kKey = "memlock:\t";
    const std::string text = read_file("/proc/self/fdinfo/" + std::to_string(fd.get()));
    const std::size_t at = text.find(kKey);
    if (at == std::string::npos) throw std::runtime_error("no memlock in: " + text);
    return std::stoull(text.substr(at + kKey.size()));
}

inline JailMemory memory_of_jail(int cgroup_fd) {
    JailMemory memory;
    std::set<std::uint32_t> maps;
    for (const Attachment& attached : jail_attachments(cgroup_fd)) {
        memory.programs += memlock_of(UniqueFd(::bpf_prog_get_fd_by_id(attached.id)));
        for (const std::uint32_t map : maps_of(attached.id)) maps.insert(map);
    }
    for (const std::uint32_t map : maps)
        memory.maps += memlock_of(UniqueFd(::bpf_map_get_fd_by_id(map)));
    return memory;
}

}  // namespace jail_ai::test
