// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "picture.h"

#include <bpf/bpf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "bpf/abi.h"
#include "kernel_bpf.h"
#include "must.h"

namespace jail_ai::test {
namespace {

std::string hex(const void* bytes, std::size_t size) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        const auto byte = static_cast<const unsigned char*>(bytes)[i];
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

template <typename Info>
Info info_of(int fd) {
    Info info;
    std::memset(&info, 0, sizeof info);
    std::uint32_t size = sizeof info;
    must(::bpf_obj_get_info_by_fd(fd, &info, &size), "ask what a BPF object is");
    return info;
}

// Entry by entry, in the order of their bytes.
std::set<std::string> contents_of(int fd, const bpf_map_info& info) {
    std::set<std::string> entries;
    std::vector<char> key(info.key_size);
    std::vector<char> value((info.value_size + std::size_t{7}) & ~std::size_t{7});
    for (bool more = ::bpf_map_get_next_key(fd, nullptr, key.data()) == 0; more;
         more = ::bpf_map_get_next_key(fd, key.data(), key.data()) == 0) {
        must(::bpf_map_lookup_elem(fd, key.data(), value.data()), "read a map");
        if (std::string_view(info.name) == "jail_about")
            std::memset(value.data() + offsetof(jail_about, since), 0, sizeof(jail_about::since));
        entries.insert(hex(key.data(), key.size()) + "=" + hex(value.data(), info.value_size));
    }
    return entries;
}

bool is_for_good(std::string_view name) {
    return name == "jail_rules" || name == "jail_about" || name.ends_with(".rodata");
}

std::string picture_of_map(std::uint32_t id) {
    const UniqueFd map(must(::bpf_map_get_fd_by_id(id), "open a map"));
    const auto info = info_of<bpf_map_info>(map.get());
    std::string text = std::string("map ") + info.name + " " + std::to_string(info.type) + " " +
                       std::to_string(info.max_entries) + "\n";
    if (is_for_good(info.name))
        for (const std::string& entry : contents_of(map.get(), info)) text += "  " + entry + "\n";
    return text;
}

}  // namespace

std::string picture_of_jail(int cgroup_fd) {
    std::string text;
    std::set<std::uint32_t> map_ids;
    for (const Attachment& attached : attachments(cgroup_fd)) {
        const UniqueFd program(must(::bpf_prog_get_fd_by_id(attached.id), "open a program"));
        const auto info = info_of<bpf_prog_info>(program.get());
        text += "program " + attached.name + " type " + std::to_string(attached.type) + " flags " +
                std::to_string(attached.flags) + " tag " + hex(info.tag, sizeof info.tag) + "\n";
        for (const std::uint32_t id : maps_of(attached.id)) map_ids.insert(id);
    }
    std::multiset<std::string> maps;
    for (const std::uint32_t id : map_ids) maps.insert(picture_of_map(id));
    for (const std::string& map : maps) text += map;
    return text;
}

}  // namespace jail_ai::test
