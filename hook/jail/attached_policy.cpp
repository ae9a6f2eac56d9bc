// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/attached_policy.h"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "jail/inspect.h"
#include "jail/list.h"
#include "jail/skeleton.h"

namespace jail_ai {
namespace {

using Constants = std::remove_pointer_t<decltype(jail_bpf::rodata)>;

Error of_another_version() {
    return {EX_UNAVAILABLE, fmt::format("{} is not of this version", kProgramTable.front().name)};
}

Result<Constants> read_constants(const std::vector<ProgramMap>& maps) {
    const auto map = std::ranges::find_if(maps, [](const ProgramMap& each) { return each.name.ends_with(".rodata"); });
    if (map == maps.end()) return of_another_version();
    std::vector<char> bytes(map->value_size);
    const std::uint32_t first = 0;
    if (bytes.size() < sizeof(Constants) || ::bpf_map_lookup_elem(map->fd.get(), &first, bytes.data()) != 0)
        return system_error("read the constants of a jail", bytes.size() < sizeof(Constants) ? EINVAL : errno);
    Constants constants{};
    std::memcpy(&constants, bytes.data(), sizeof constants);
    return constants;
}

Mode mode_of(const Constants& constants) {
    return constants.audit != 0 ? Mode::audit : Mode::enforce;
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
    TRY(read_one_by_one(map_fd, rules));
    return rules;
}

Result<Policy> read_policy(const std::vector<ProgramMap>& maps) {
    const ProgramMap* map = find_map(maps, "jail_rules");
    if (map == nullptr) return of_another_version();
    auto rules = TRY(read_rules(map->fd.get()));
    auto constants = TRY(read_constants(maps));
    return Policy{std::move(rules), mode_of(constants), constants.shares_network != 0, {}};
}

Result<Mode> read_mode(const std::vector<ProgramMap>& maps) {
    auto constants = TRY(read_constants(maps));
    return mode_of(constants);
}

Result<std::optional<Policy>> read_attached_policy(int cgroup_fd) {
    auto programs = TRY(attached_programs(cgroup_fd, kProgramTable.front()));
    if (programs.empty()) return std::optional<Policy>();
    auto maps = TRY(maps_of(programs.front().fd.get()));
    auto policy = TRY(read_policy(maps));
    return std::optional(std::move(policy));
}

}  // namespace jail_ai
