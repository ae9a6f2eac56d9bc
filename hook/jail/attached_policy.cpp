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

}  // namespace

Result<Rules> read_rules(int map_fd) {
    Rules rules;
    jail_key key{};
    for (bool more = ::bpf_map_get_next_key(map_fd, nullptr, &key) == 0; more;) {
        Rule rule{};
        const auto prefix = IpPrefix::from_bytes(std::span(key.addr), key.prefix_bits);
        // A rule that is taken away meanwhile is none.
        if (prefix && ::bpf_map_lookup_elem(map_fd, &key, &rule.value) == 0) rules.emplace(*prefix, rule);
        jail_key next{};
        more = ::bpf_map_get_next_key(map_fd, &key, &next) == 0;
        if (!more && errno != ENOENT) return system_error("read jail_rules", errno);
        key = next;
    }
    return rules;
}

Result<std::optional<Policy>> read_attached_policy(int cgroup_fd) {
    auto programs = attached_programs(cgroup_fd, kProgramTable.front());
    if (!programs) return std::move(programs).error();
    if (programs->empty()) return std::optional<Policy>();
    auto maps = maps_of(programs->front().fd.get());
    if (!maps) return std::move(maps).error();
    std::optional<Rules> rules;
    std::optional<Constants> constants;
    for (const ProgramMap& map : *maps) {
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
    if (!rules || !constants) return Error{EX_UNAVAILABLE, fmt::format("{} of the cgroup is not of this version", kProgramTable.front().name)};
    return std::optional(Policy{std::move(*rules), constants->audit != 0 ? Mode::audit : Mode::enforce, constants->shares_network != 0, {}});
}

}  // namespace jail_ai
