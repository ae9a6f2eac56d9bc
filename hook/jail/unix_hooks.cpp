// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// As in guard.cpp, libbpf is given what one pass over the kernel's BTF has found: also the
// functions of the kernel that the programs call, for which it would read all of that, however few
// they are.
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <array>
#include <span>
#include <vector>

#include "base/quote.h"
#include "jail/guard.h"
#include "jail/kernel_btf.h"
#include "jail/kernel_btf_file.h"
#include "jail/loading.h"
#include "jail/skeleton.h"

namespace jail_ai {
namespace {

constexpr std::string_view kWhat = "BPF programs for Unix sockets";
constexpr std::string_view kNeeds = "Linux 6.7 with CONFIG_CGROUP_BPF and CONFIG_DEBUG_INFO_BTF";
constexpr std::string_view kName = "sockaddr_un", kCall = "bpf_sock_addr_kern";

struct Function {
    const char* name;
    std::int32_t number;  // by which the programs call it
};
constexpr std::array kFunctions{Function{"bpf_cast_to_kern_ctx", JAIL_CALL_CAST_TO_KERN_CTX},
                                Function{"bpf_rdonly_cast", JAIL_CALL_RDONLY_CAST}};

Result<std::uint32_t> id_of(const KernelTypes::Ids& ids, std::string_view name) {
    const auto found = ids.find(name);
    if (found != ids.end()) return found->second;
    return Error{EX_UNAVAILABLE,
                 fmt::format("the kernel's BTF: it has no {}: use {}", quote(name), kNeeds)};
}

// Between opening and loading, for nothing but maps and structures is relocated in them later.
Status put_functions(bpf_program* program, const KernelTypes& types) {
    std::span<const bpf_insn> before(::bpf_program__insns(program),
                                     ::bpf_program__insn_cnt(program));
    std::vector<bpf_insn> instructions(before.begin(), before.end());
    for (bpf_insn& call : instructions) {
        if (call.code != (BPF_JMP | BPF_CALL) || call.src_reg != 0) continue;
        for (const Function& function : kFunctions) {
            if (call.imm != function.number) continue;
            const auto id = TRY(id_of(types.functions, function.name));
            call.src_reg = BPF_PSEUDO_KFUNC_CALL;
            call.imm = static_cast<std::int32_t>(id);
            call.off = 0;  // of the kernel itself, and no module
            break;
        }
    }
    if (const int failed =
            ::bpf_program__set_insns(program, instructions.data(), instructions.size());
        failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    return ok();
}

Result<KernelTypes> find_types(const bpf_object* object) {
    std::set<std::string, std::less<>> functions;
    for (const Function& function : kFunctions) functions.insert(function.name);
    return find_kernel_types(*::bpf_object__btf(object), functions);
}

}  // namespace

Result<std::vector<LoadedProgram>> load_unix_hooks(Mode mode, const RecordMaps& record) {
    listen_to_libbpf();
    const auto structures = TRY(StructuresFile::make());
    struct bpf_object_open_opts options {};
    options.sz = sizeof options;
    options.btf_custom_path = structures.path();
    const Skeleton<unix_sockets_bpf> skeleton(unix_sockets_bpf::open(&options));
    if (skeleton == nullptr) return load_error(kWhat, kNeeds, errno);
    const auto types = TRY(find_types(skeleton->obj));
    const auto name = TRY(id_of(types.structure_ids, kName));
    const auto call = TRY(id_of(types.structure_ids, kCall));
    TRY(structures.write(types));
    skeleton->rodata->audit = mode == Mode::audit ? 1 : 0;
    skeleton->rodata->sockaddr_un = name;
    skeleton->rodata->bpf_sock_addr_kern = call;
    for (const ProgramSlot& slot : kUnixTable) {
        bpf_program* program = ::bpf_object__find_program_by_name(skeleton->obj, slot.name);
        if (program == nullptr)
            return Error{EX_SOFTWARE, fmt::format("no program {} in the object", slot.name)};
        ::bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
        ::bpf_program__set_expected_attach_type(program, slot.type);
        TRY(put_functions(program, types));
    }
    if (const int failed = keep_unmapped(skeleton->maps.rodata); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    if (const int failed = share_record(skeleton->maps, record); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    if (const int failed = unix_sockets_bpf::load(skeleton.get()); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    return loaded_programs(skeleton->obj, kUnixTable);
}

}  // namespace jail_ai
