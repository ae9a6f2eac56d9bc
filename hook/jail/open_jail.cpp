// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/open_jail.h"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/absence.h"
#include "jail/metadata.h"
#include "jail/skeleton.h"

namespace jail_ai {
namespace {

using Constants = std::remove_pointer_t<decltype(jail_bpf::rodata)>;

Error of_another_version() {
    return {EX_UNAVAILABLE, fmt::format("{} is not of this version", kProgramTable.front().name)};
}

Result<Constants> read_constants(const OpenJail& jail) {
    const auto map = std::ranges::find_if(
        jail.maps, [](const ProgramMap& each) { return each.name.ends_with(".rodata"); });
    if (map == jail.maps.end()) return of_another_version();
    std::vector<char> bytes(map->value_size);
    const std::uint32_t first = 0;
    if (bytes.size() < sizeof(Constants) ||
        ::bpf_map_lookup_elem(map->fd.get(), &first, bytes.data()) != 0)
        return system_error("read the constants of a jail",
                            bytes.size() < sizeof(Constants) ? EINVAL : errno);
    Constants constants{};
    std::memcpy(&constants, bytes.data(), sizeof constants);
    return constants;
}

const ProgramMap* find_map(const std::vector<ProgramMap>& maps, std::string_view name) {
    const auto found = std::ranges::find(maps, name, &ProgramMap::name);
    return found == maps.end() ? nullptr : &*found;
}

Mode mode_of(const Constants& constants) {
    return constants.audit != 0 ? Mode::audit : Mode::enforce;
}

// Nothing for one that another version knows.
std::optional<DenialError> denial_error_of(const Constants& constants) {
    for (const auto& [value, name] : kDenialErrors)
        if (constants.denial_errno == static_cast<__u32>(errno_of(value))) return value;
    return constants.denial_errno == 0 ? std::optional(DenialError::eperm) : std::nullopt;
}

// Calls it with each element of a map, `most` at a time and up to that many and as many again:
// programs may add faster than one reads. If it gives a place in the map by a hash, as for most
// kinds, `Place` is a number, and of a trie a key. Gives 0 or an errno.
template <typename Key, typename Value, typename Place, typename Each>
int for_each_in_batches(int map_fd, std::uint32_t at_once, std::size_t most, Each&& each) {
    std::vector<Key> keys(at_once);
    std::vector<Value> values(at_once);
    Place next{};
    std::size_t got = 0;
    for (bool first = true; got < most; first = false) {
        std::uint32_t count = at_once;
        const int failed = ::bpf_map_lookup_batch(map_fd, first ? nullptr : &next, &next,
                                                  keys.data(), values.data(), &count, nullptr) == 0
                               ? 0
                               : errno;
        const bool at_end = means_absent(Sought::bpf_object, failed);
        if (failed != 0 && !at_end) return failed;
        for (std::uint32_t i = 0; i < count; ++i) each(keys[i], values[i]);
        if (at_end) break;
        got += count;
    }
    return 0;
}

void put(const jail_key& key, const jail_rule& value, Rules& rules) {
    if (const auto prefix = IpPrefix::from_bytes(std::span(key.addr), key.prefix_bits))
        rules.emplace(*prefix, Rule{value, {}});
}

Status read_one_by_one(int map_fd, Rules& rules) {
    jail_key key{};
    const jail_key* last = nullptr;
    jail_key next{};
    while (::bpf_map_get_next_key(map_fd, last, &next) == 0) {
        key = next;
        last = &key;
        jail_rule value{};
        if (::bpf_map_lookup_elem(map_fd, &key, &value) == 0)
            put(key, value, rules);
        else if (!means_absent(Sought::bpf_object, errno))  // removed meanwhile
            return system_error("read jail_rules", errno);
    }
    if (!means_absent(Sought::bpf_object, errno)) return system_error("read jail_rules", errno);
    return ok();
}

}  // namespace

const ProgramMap* OpenJail::map(std::string_view name) const {
    return find_map(maps, name);
}

Result<std::optional<OpenJail>> open_jail(std::uint32_t id) {
    auto program = TRY(open_program(id));
    if (!program || program->name != kProgramTable.front().name) return std::optional<OpenJail>();
    auto maps = TRY(maps_of(program->fd.get()));
    return std::optional(OpenJail{id, std::move(maps)});
}

Result<std::optional<OpenJail>> open_jail_of(int cgroup_fd) {
    const auto programs = TRY(attached_programs(cgroup_fd, kProgramTable.front()));
    if (programs.empty()) return std::optional<OpenJail>();
    auto maps = TRY(maps_of(programs.front().fd.get()));
    return std::optional(OpenJail{programs.front().id, std::move(maps)});
}

Result<std::uint32_t> for_each_jail(std::uint32_t after, OtherPrograms& others,
                                    const std::function<Status(OpenJail& jail)>& each) {
    auto known = std::ranges::upper_bound(others, after);
    OtherPrograms found(others.begin(), known);
    std::uint32_t id = after;
    while (::bpf_prog_get_next_id(id, &id) == 0) {
        known = std::lower_bound(known, others.end(), id);
        const bool is_known = known != others.end() && *known == id;
        std::optional<OpenJail> jail;
        if (!is_known) jail = TRY(open_jail(id));
        if (!jail) {
            found.push_back(id);
            continue;
        }
        TRY(each(*jail));
    }
    if (!means_absent(Sought::bpf_object, errno))
        return system_error("ask for the next BPF program", errno,
                            errno == EPERM ? EX_NOPERM : EX_OSERR);
    others = std::move(found);
    return id;
}

Result<std::optional<JailMetadata>> read_metadata(const std::vector<ProgramMap>& maps) {
    const ProgramMap* map = find_map(maps, "jail_about");
    if (map == nullptr) return std::optional<JailMetadata>();
    const std::uint32_t first = 0;
    std::vector<char> value((map->value_size + std::size_t{7}) &
                            ~std::size_t{7});  // the kernel copies whole words
    if (::bpf_map_lookup_elem(map->fd.get(), &first, value.data()) != 0)
        return system_error("read jail_about", errno);
    return parse_metadata(std::span(value).first(map->value_size));
}

Result<Rules> read_rules(const OpenJail& jail) {
    const ProgramMap* map = jail.map("jail_rules");
    if (map == nullptr) return of_another_version();
    Rules rules;
    const auto add = [&](const jail_key& key, const jail_rule& value) { put(key, value, rules); };
    if (for_each_in_batches<jail_key, jail_rule, jail_key>(map->fd.get(), 256, JAIL_RULES_ROOM,
                                                           add) == 0)
        return rules;
    rules.clear();  // before Linux 5.13, which can't for maps of this type
    TRY(read_one_by_one(map->fd.get(), rules));
    return rules;
}

Result<Policy> read_policy(const OpenJail& jail) {
    auto rules = TRY(read_rules(jail));
    const auto constants = TRY(read_constants(jail));
    const auto error = denial_error_of(constants);
    if (!error) return of_another_version();
    return Policy{std::move(rules), mode_of(constants), *error, constants.shares_network != 0, {}};
}

Result<DenialError> read_denial_error(const OpenJail& jail) {
    const auto error = denial_error_of(TRY(read_constants(jail)));
    if (!error) return of_another_version();
    return *error;
}

Result<Mode> read_mode(const OpenJail& jail) {
    return mode_of(TRY(read_constants(jail)));
}

Result<std::vector<RecentDenial>> read_recent_denials(const ProgramMap& map) {
    std::vector<RecentDenial> recent_denials;
    if (map.value_size != sizeof(jail_denial_seen)) return recent_denials;
    constexpr std::uint32_t most = 2 * JAIL_MAX_RECENT;
    const auto add = [&](const jail_denial& what, const jail_denial_seen& seen) {
        recent_denials.push_back({what, seen});
    };
    if (const int failed = for_each_in_batches<jail_denial, jail_denial_seen, std::uint32_t>(
            map.fd.get(), most, most, add);
        failed != 0)
        return system_error("read jail_recent", failed);
    std::ranges::sort(recent_denials, [](const RecentDenial& a, const RecentDenial& b) {
        return a.seen.last > b.seen.last;
    });
    return recent_denials;
}

}  // namespace jail_ai
