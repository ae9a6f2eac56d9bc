// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/inspect.h"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <span>

#include "base/absence.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxPrograms = 64;  // BPF_CGROUP_MAX_PROGS, kernel/bpf/cgroup.c
constexpr std::size_t kMaxLsmHooks = 10;  // CGROUP_LSM_NUM, include/linux/bpf-cgroup-defs.h
constexpr std::uint32_t kMaxMaps = 16;    // more than our programs use

struct Listed {
    std::uint32_t id;
    std::uint32_t flags;
};

// The kernel answers for all LSM hooks together, with each program's flags; for a network hook with
// the flags that its programs share. A kernel that doesn't know the type has none attached; those
// of the network hooks every kernel knows that we run on.
Result<std::vector<Listed>> query(int cgroup_fd, const ProgramSlot& slot,
                                  std::uint32_t query_flags) {
    const bool is_lsm = slot.type == BPF_LSM_CGROUP;
    std::vector<std::uint32_t> ids(kMaxPrograms * (is_lsm ? kMaxLsmHooks : 1));
    std::vector<std::uint32_t> flags(ids.size());
    struct bpf_prog_query_opts options {};
    options.sz = sizeof options;
    options.query_flags = query_flags;
    options.prog_ids = ids.data();
    options.prog_cnt = static_cast<std::uint32_t>(ids.size());
    // Effective programs have no flags, and a kernel that knows that rejects the question (6.1);
    // the first with LSM hooks (6.0) wants to be.
    if (is_lsm && query_flags == 0) options.prog_attach_flags = flags.data();
    int failed = ::bpf_prog_query_opts(cgroup_fd, slot.type, &options);
    if (failed != 0 && errno == EINVAL && is_lsm && query_flags != 0) {
        options.prog_attach_flags = flags.data();
        failed = ::bpf_prog_query_opts(cgroup_fd, slot.type, &options);
    }
    if (failed != 0) {
        if (errno == EINVAL && std::ranges::none_of(kProgramTable, [&](const ProgramSlot& each) {
                return each.type == slot.type;
            }))
            return std::vector<Listed>();
        return system_error(fmt::format("ask the kernel what is attached for {}", slot.name),
                            errno);
    }
    std::vector<Listed> listed;
    for (std::uint32_t i = 0; i < options.prog_cnt; ++i)
        listed.push_back({ids[i], is_lsm ? flags[i] : options.attach_flags});
    return listed;
}

// Zeroed byte by byte: the kernel rejects a structure with anything in its padding, which
// initialisation need not clear.
template <typename Info>
void clear(Info& info) {
    std::memset(&info, 0, sizeof info);
}

template <typename Info>
Status read_info(int fd, Info& info) {
    std::uint32_t size = sizeof info;
    if (::bpf_obj_get_info_by_fd(fd, &info, &size) != 0)
        return system_error("read BPF object info", errno);
    return ok();
}

// A program or map, and what the kernel says of it; nothing for one that is gone by now.
template <typename Info>
struct Object {
    UniqueFd fd;
    Info info;
};

template <typename Info>
Result<std::optional<Object<Info>>> open_by_id(int (*get)(std::uint32_t), std::uint32_t id,
                                               std::string_view what) {
    Object<Info> object{UniqueFd(get(id)), {}};
    if (!object.fd && means_absent(Sought::bpf_object, errno)) return std::optional<Object<Info>>();
    if (!object.fd) return system_error(fmt::format("open {} {}", what, id), errno);
    clear(object.info);
    TRY(read_info(object.fd.get(), object.info));
    return std::optional(std::move(object));
}

enum class Whose { ours, others };

Result<std::vector<AttachedProgram>> find_programs(int cgroup_fd, const ProgramSlot& slot,
                                                   std::uint32_t query_flags,
                                                   Whose whose = Whose::ours) {
    auto answer = TRY(query(cgroup_fd, slot, query_flags));
    std::vector<AttachedProgram> found;
    for (const auto& [id, flags] : answer) {
        auto program = TRY(open_by_id<bpf_prog_info>(::bpf_prog_get_fd_by_id, id, "program"));
        if (!program ||
            (std::string_view(program->info.name) == slot.name) != (whose == Whose::ours))
            continue;
        found.push_back({id, program->info.name, static_cast<std::uint32_t>(slot.type), flags,
                         std::move(program->fd)});
    }
    return found;
}

}  // namespace

Result<std::vector<AttachedProgram>> attached_programs(int cgroup_fd, const ProgramSlot& slot) {
    return find_programs(cgroup_fd, slot, 0);
}

Result<std::vector<AttachedProgram>> foreign_programs(int cgroup_fd, const ProgramSlot& slot) {
    return find_programs(cgroup_fd, slot, 0, Whose::others);
}

Result<bool> is_jailed(int cgroup_fd) {
    auto acting = find_programs(cgroup_fd, kProgramTable.front(), BPF_F_QUERY_EFFECTIVE);
    if (!acting) return std::move(acting).error();
    return !acting->empty();
}

Result<std::vector<AttachedProgram>> attached_programs(int cgroup_fd) {
    std::vector<AttachedProgram> all;
    for (const std::span<const ProgramSlot> table :
         {std::span<const ProgramSlot>(kProgramTable), std::span<const ProgramSlot>(kGuardTable),
          std::span<const ProgramSlot>(kUnixTable)}) {
        for (const ProgramSlot& slot : table) {
            auto ours = attached_programs(cgroup_fd, slot);
            if (!ours) return ours;
            for (AttachedProgram& program : *ours) all.push_back(std::move(program));
        }
    }
    return all;
}

Result<std::vector<ActingProgram>> acting_programs(int cgroup_fd, const ProgramSlot& slot) {
    auto answer = TRY(query(cgroup_fd, slot, BPF_F_QUERY_EFFECTIVE));
    std::vector<ActingProgram> acting;
    for (const Listed& listed : answer) {
        auto program =
            TRY(open_by_id<bpf_prog_info>(::bpf_prog_get_fd_by_id, listed.id, "program"));
        if (program)
            acting.push_back({listed.id, program->info.name,
                              slot.type == BPF_LSM_CGROUP ? program->info.attach_btf_id : 0});
    }
    return acting;
}

Result<std::optional<OpenProgram>> open_program(std::uint32_t id) {
    auto program = TRY(open_by_id<bpf_prog_info>(::bpf_prog_get_fd_by_id, id, "program"));
    if (!program) return std::optional<OpenProgram>();
    return std::optional(OpenProgram{program->info.name, std::move(program->fd)});
}

Result<std::uint32_t> program_id(int program_fd) {
    bpf_prog_info info{};
    clear(info);
    TRY(read_info(program_fd, info));
    return info.id;
}

Result<std::string> program_name(int program_fd) {
    bpf_prog_info info{};
    clear(info);
    TRY(read_info(program_fd, info));
    return std::string(info.name);
}

Result<std::set<std::uint32_t>> map_ids(int program_fd) {
    std::array<std::uint32_t, kMaxMaps> ids{};
    bpf_prog_info info{};
    clear(info);
    info.nr_map_ids = kMaxMaps;
    info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
    TRY(read_info(program_fd, info));
    return std::set<std::uint32_t>(ids.begin(), ids.begin() + std::min(info.nr_map_ids, kMaxMaps));
}

Result<std::vector<ProgramMap>> open_maps(const std::set<std::uint32_t>& ids) {
    std::vector<ProgramMap> maps;
    for (const std::uint32_t id : ids) {
        auto map = TRY(open_by_id<bpf_map_info>(::bpf_map_get_fd_by_id, id, "map"));
        if (map)
            maps.push_back(
                {map->info.id, map->info.name, map->info.value_size, std::move(map->fd)});
    }
    return maps;
}

Result<std::vector<ProgramMap>> maps_of(int program_fd) {
    auto ids = TRY(map_ids(program_fd));
    return open_maps(ids);
}

Result<DenialCounts> read_counts(int map_fd) {
    DenialCounts counts{};
    std::array<std::uint32_t, JAIL_REASON_COUNT> reasons{};
    std::uint32_t next = 0;
    auto count = static_cast<std::uint32_t>(counts.size());
    if (::bpf_map_lookup_batch(map_fd, nullptr, &next, reasons.data(), counts.data(), &count,
                               nullptr) != 0 &&
        !means_absent(Sought::bpf_object, errno))  // at the map's end
        return system_error("read jail_denials", errno);
    return counts;
}

Result<DenialCounts> read_denials(int cgroup_fd) {
    auto programs = TRY(attached_programs(cgroup_fd));
    std::set<std::uint32_t> ids;
    for (const AttachedProgram& program : programs) {
        auto its = TRY(map_ids(program.fd.get()));
        ids.merge(its);
    }
    auto maps = TRY(open_maps(ids));
    DenialCounts counts{};
    for (const ProgramMap& map : maps) {
        if (map.name != "jail_denials") continue;
        auto each = TRY(read_counts(map.fd.get()));
        std::ranges::transform(counts, each, counts.begin(), std::plus());
    }
    return counts;
}

}  // namespace jail_ai
