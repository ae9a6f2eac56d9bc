// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See attached_policy.h.
#include "jail/attached_policy.h"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <cstring>
#include <span>

#include "jail/inspect.h"
#include "jail/skeleton.h"

namespace jail_ai {
namespace {

using Constants = std::remove_pointer_t<decltype(jail_bpf::rodata)>;

Result<Constants> read_constants(int map_fd, std::uint32_t size) {
    std::vector<char> bytes(size);
    const std::uint32_t first = 0;
    if (size < sizeof(Constants) || ::bpf_map_lookup_elem(map_fd, &first, bytes.data()) != 0)
        return system_error("read the constants of a jail", size < sizeof(Constants) ? EINVAL : errno);
    Constants constants{};
    std::memcpy(&constants, bytes.data(), sizeof constants);
    return constants;
}

void put(const jail_key& key, const jail_rule& value, Rules& rules) {
    if (const auto prefix = IpPrefix::from_bytes(std::span(key.addr), key.prefix_bits)) rules.emplace(*prefix, Rule{value, {}});
}

Status read_one_by_one(int map_fd, Rules& rules) {
    jail_key key{};
    for (bool more = ::bpf_map_get_next_key(map_fd, nullptr, &key) == 0; more;) {
        jail_rule value{};
        // A rule that is taken away meanwhile is none.
        if (::bpf_map_lookup_elem(map_fd, &key, &value) == 0) put(key, value, rules);
        jail_key next{};
        more = ::bpf_map_get_next_key(map_fd, &key, &next) == 0;
        if (!more && errno != ENOENT) return system_error("read jail_rules", errno);
        key = next;
    }
    return ok();
}

// False where the kernel can't, for maps of this type (before Linux 5.13).
bool read_by_batches(int map_fd, Rules& rules) {
    constexpr std::uint32_t most = 256;
    std::vector<jail_key> keys(most);
    std::vector<jail_rule> values(most);
    jail_key last{};
    for (bool first = true;; first = false) {
        std::uint32_t count = most;
        const int failed =
            ::bpf_map_lookup_batch(map_fd, first ? nullptr : &last, &last, keys.data(), values.data(), &count, nullptr) == 0 ? 0 : errno;
        if (failed != 0 && failed != ENOENT) return false;
        for (std::uint32_t i = 0; i < count; ++i) put(keys[i], values[i], rules);
        if (failed == ENOENT) return true;
    }
}

}  // namespace

Result<Rules> read_rules(int map_fd) {
    Rules rules;
    if (read_by_batches(map_fd, rules)) return rules;
    rules.clear();
    if (auto read = read_one_by_one(map_fd, rules); !read) return std::move(read).error();
    return rules;
}

Result<Policy> read_policy(const std::vector<ProgramMap>& maps) {
    std::optional<Rules> rules;
    std::optional<Constants> constants;
    for (const ProgramMap& map : maps) {
        if (map.name == "jail_rules") {
            auto read = read_rules(map.fd.get());
            if (!read) return std::move(read).error();
            rules = std::move(*read);
        } else if (map.name.ends_with(".rodata")) {
            auto read = read_constants(map.fd.get(), map.value_size);
            if (!read) return std::move(read).error();
            constants = *read;
        }
    }
    if (!rules || !constants) return Error{EX_UNAVAILABLE, fmt::format("{} is not of this version", kProgramTable.front().name)};
    return Policy{std::move(*rules), constants->audit != 0 ? Mode::audit : Mode::enforce, constants->shares_network != 0, {}};
}

Result<std::optional<Policy>> read_attached_policy(int cgroup_fd) {
    auto programs = attached_programs(cgroup_fd, kProgramTable.front());
    if (!programs) return std::move(programs).error();
    if (programs->empty()) return std::optional<Policy>();
    auto maps = maps_of(programs->front().fd.get());
    if (!maps) return std::move(maps).error();
    auto policy = read_policy(*maps);
    if (!policy) return std::move(policy).error();
    return std::optional(std::move(*policy));
}

}  // namespace jail_ai
