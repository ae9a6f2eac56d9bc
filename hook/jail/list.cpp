// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/list.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cstring>

#include "system/cgroup_walk.h"

namespace jail_ai {
namespace {

Result<std::optional<JailRecord>> read_about(const ProgramMap& map) {
    const std::uint32_t first = 0;
    JailRecord record{};
    jail_about& about = record.about;
    std::vector<char> value((map.value_size + std::size_t{7}) & ~std::size_t{7});  // the kernel copies whole words
    if (value.size() < sizeof about) return std::optional<JailRecord>();
    if (::bpf_map_lookup_elem(map.fd.get(), &first, value.data()) != 0) return system_error("read jail_about", errno);
    std::memcpy(&about, value.data(), sizeof about);
    if (about.version != JAIL_ABOUT_VERSION || about.inputs_size > map.value_size - sizeof about) return std::optional<JailRecord>();
    about.container[sizeof about.container - 1] = '\0';
    record.inputs.assign(value.data() + sizeof about, about.inputs_size);
    return std::optional(std::move(record));
}

Status read_denials(const ProgramMap& map, JailReport& report) {
    Counters counters{};
    TRY(read_counters(map.fd.get(), counters));
    std::copy_n(counters.begin(), report.denials.size(), report.denials.begin());
    report.lost_events = counters[JAIL_LOST_EVENTS];
    return ok();
}

// What is forgotten while one reads is left out. The reading is bounded, for the programs may add faster than it goes. In batches (Linux 5.6).
Status read_refusals(const ProgramMap& map, JailReport& report) {
    if (map.value_size != sizeof(jail_refusal_seen)) return ok();
    constexpr std::uint32_t most = 2 * JAIL_MAX_REFUSALS;
    std::vector<jail_refusal> keys(most);
    std::vector<jail_refusal_seen> values(most);
    std::uint32_t next = 0;
    int failed = 0;
    for (bool first = true; failed == 0 && report.refusals.size() < most; first = false) {
        std::uint32_t count = most;
        failed = ::bpf_map_lookup_batch(map.fd.get(), first ? nullptr : &next, &next, keys.data(), values.data(), &count, nullptr) == 0 ? 0 : errno;
        if (failed != 0 && failed != ENOENT) return system_error("read jail_refusals", failed);
        for (std::uint32_t i = 0; i < count; ++i) report.refusals.push_back({keys[i], values[i]});
    }
    std::ranges::sort(report.refusals, [](const Refusal& a, const Refusal& b) { return a.seen.last > b.seen.last; });
    return ok();
}

void count_prefixes(const ProgramMap& map, JailReport& report) {
    jail_key key{};
    jail_key next{};
    const jail_key* last = nullptr;
    while (report.prefixes <= JAIL_MAX_RULES && ::bpf_map_get_next_key(map.fd.get(), last, &next) == 0) {
        key = next;
        last = &key;
        ++report.prefixes;
    }
}

struct JailOfCgroup {
    std::vector<AttachedProgram> programs;
    std::vector<ProgramMap> maps;
};

// Nothing for a cgroup without a jail of its own.
Result<std::optional<JailOfCgroup>> look_at(int cgroup_fd) {
    auto first = TRY(attached_programs(cgroup_fd, kProgramTable.front()));
    if (first.empty()) return std::optional<JailOfCgroup>();
    auto programs = TRY(attached_programs(cgroup_fd));
    auto maps = TRY(maps_of(first.front().fd.get()));
    return std::optional(JailOfCgroup{std::move(programs), std::move(maps)});
}

Result<JailReport> report_on(const JailOfCgroup& jail) {
    JailReport report{};
    for (const AttachedProgram& program : jail.programs) report.programs.push_back(program.name);
    auto record = TRY(read_record(jail.maps));
    if (record) report.about = record->about;
    for (const ProgramMap& map : jail.maps) {
        Status read = ok();
        if (map.name == "jail_denials") read = read_denials(map, report);
        if (map.name == "jail_refusals") read = read_refusals(map, report);
        if (map.name == "jail_rules") count_prefixes(map, report);
        if (!read) return std::move(read).error();
    }
    return report;
}

}  // namespace

const ProgramMap* find_map(const std::vector<ProgramMap>& maps, std::string_view name) {
    const auto found = std::ranges::find(maps, name, &ProgramMap::name);
    return found == maps.end() ? nullptr : &*found;
}

Result<std::optional<JailRecord>> read_record(const std::vector<ProgramMap>& maps) {
    const ProgramMap* map = find_map(maps, "jail_about");
    if (map == nullptr) return std::optional<JailRecord>();
    return read_about(*map);
}

Result<std::optional<OpenJail>> open_jail(std::uint32_t id) {
    auto program = TRY(open_program(id));
    if (!program || program->name != kProgramTable.front().name) return std::optional<OpenJail>();
    auto maps = TRY(maps_of(program->fd.get()));
    return std::optional(OpenJail{id, std::move(maps)});
}

Result<std::uint32_t> JailWalk::for_each(std::uint32_t after, const std::function<Status(OpenJail& jail)>& each) {
    auto known = std::ranges::upper_bound(others_, after);
    std::vector<std::uint32_t> others(others_.begin(), known);
    std::uint32_t id = after;
    while (::bpf_prog_get_next_id(id, &id) == 0) {
        known = std::lower_bound(known, others_.end(), id);
        if (known != others_.end() && *known == id) {
            others.push_back(id);
            continue;
        }
        auto jail = TRY(open_jail(id));
        if (!jail) {
            others.push_back(id);
            continue;
        }
        TRY(each(*jail));
    }
    if (errno != ENOENT) return system_error("ask for the next BPF program", errno, errno == EPERM ? EX_NOPERM : EX_OSERR);
    others_ = std::move(others);
    return id;
}

Result<std::vector<JailReport>> list_jails() {
    std::vector<JailReport> jails;
    TRY(for_each_cgroup([&](int fd, const std::string& path) -> Status {
        auto jail = TRY(look_at(fd));
        if (!jail) return ok();
        auto report = TRY(report_on(*jail));
        report.cgroup = path;
        jails.push_back(std::move(report));
        return ok();
    }));
    std::ranges::sort(jails, {}, &JailReport::cgroup);
    return jails;
}

}  // namespace jail_ai
