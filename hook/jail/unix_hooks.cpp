// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/guard.h"

#include <bpf/libbpf.h>
#include <fmt/format.h>

#include "jail/loading.h"
#include "jail/skeleton.h"

namespace jail_ai {
namespace {

constexpr std::string_view kWhat = "BPF programs for Unix sockets";
constexpr std::string_view kNeeds = "Linux 6.7 with CONFIG_CGROUP_BPF and CONFIG_DEBUG_INFO_BTF";

}  // namespace

Result<std::vector<LoadedProgram>> load_unix_hooks(Mode mode, const RecordMaps& record) {
    listen_to_libbpf();
    const Skeleton<unix_sockets_bpf> skeleton(unix_sockets_bpf::open());
    if (skeleton == nullptr) return load_error(kWhat, kNeeds, errno);
    skeleton->rodata->audit = mode == Mode::audit ? 1 : 0;
    for (const ProgramSlot& slot : kUnixTable) {
        bpf_program* program = ::bpf_object__find_program_by_name(skeleton->obj, slot.name);
        if (program == nullptr)
            return Error{EX_SOFTWARE, fmt::format("no program {} in the object", slot.name)};
        ::bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
        ::bpf_program__set_expected_attach_type(program, slot.type);
    }
    if (const int failed = share_record(skeleton->maps, record); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    if (const int failed = unix_sockets_bpf::load(skeleton.get()); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    return loaded_programs(skeleton->obj, kUnixTable);
}

}  // namespace jail_ai
