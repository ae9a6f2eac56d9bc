// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Left to itself libbpf reads the kernel's 5 MB of BTF twice over and searches it once for each
// name, at every start of a container. So it is given what one pass has found (find_types); should
// that not do, it goes its own way.
#include "jail/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>

#include "base/quote.h"
#include "jail/kernel_btf.h"
#include "jail/kernel_btf_file.h"
#include "jail/loading.h"
#include "jail/skeleton.h"
#include "system/lsm.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::string_view kWhat = "BPF LSM programs";
constexpr std::string_view kNeeds = "Linux 6.0 with CONFIG_BPF_LSM and CONFIG_DEBUG_INFO_BTF";

// The only handle that cgroup2 gives is the cgroup's id (systemd relies on it, too); on 64-bit
// machines it is the inode as well.
Result<std::uint64_t> cgroup_id(const Cgroup& cgroup) {
    std::uint64_t id = 0;
    alignas(file_handle) char memory[sizeof(file_handle) + sizeof id]{};
    auto* handle = reinterpret_cast<file_handle*>(memory);
    handle->handle_bytes = sizeof id;
    int mount = 0;
    if (::name_to_handle_at(cgroup.fd(), "", handle, &mount, AT_EMPTY_PATH) != 0)
        return system_error(fmt::format("ask for the id of cgroup {}", quote(cgroup.path())),
                            errno);
    if (handle->handle_bytes != sizeof id)
        return Error{EX_SOFTWARE, fmt::format("a cgroup id of {} bytes", handle->handle_bytes)};
    std::memcpy(&id, memory + sizeof(file_handle), sizeof id);
    return id;
}

// What the guard distinguishes inside and outside by.
struct GuardScope {
    std::uint64_t cgroup;          // the kernel's id of the container's cgroup
    std::uint32_t engine_network;  // inode of the caller's network namespace
};

Result<GuardScope> read_scope(const Cgroup& cgroup) {
    auto id = TRY(cgroup_id(cgroup));
    auto network = TRY(current_network_namespace());
    return GuardScope{id, network};
}

constexpr std::string_view kSection = "lsm_cgroup/";  // before the hook's name, in the object
constexpr std::string_view kHookPrefix = "bpf_lsm_";  // before it, in the kernel
constexpr auto kPlaceholder =
    BPF_PROG_TYPE_CGROUP_SKB;  // until it is loaded: for LSM programs libbpf reads the kernel's
                               // BTF, needed or not

// Which kernel function a program of the guard hangs on; nothing for another program.
std::string hook_of(const bpf_program* program) {
    std::string_view section = ::bpf_program__section_name(program);
    if (!section.starts_with(kSection)) return {};
    section.remove_prefix(kSection.size());
    return std::string(kHookPrefix).append(section);
}

std::optional<KernelTypes> find_types(const bpf_object* object) {
    std::set<std::string, std::less<>> hooks;
    for (bpf_program* program = nullptr;
         (program = ::bpf_object__next_program(object, program)) != nullptr;)
        hooks.insert(hook_of(program));
    auto found = find_kernel_types(*::bpf_object__btf(object), hooks);
    if (!found || found->functions.size() != hooks.size() || found->structures.empty())
        return std::nullopt;
    return std::move(*found);
}

const KernelTypes* known_types = nullptr;  // for prepare(), to which libbpf hands nothing of ours

int prepare(bpf_program* program, bpf_prog_load_opts* options, long /*cookie*/) {
    const std::string hook = hook_of(program);
    const int id =
        known_types != nullptr
            ? static_cast<int>(known_types->functions.at(hook))
            : ::libbpf_find_vmlinux_btf_id(hook.substr(kHookPrefix.size()).c_str(), BPF_LSM_CGROUP);
    if (id < 0) return id;
    options->expected_attach_type = BPF_LSM_CGROUP;
    options->attach_btf_id = static_cast<std::uint32_t>(id);
    return ::bpf_program__set_type(program, BPF_PROG_TYPE_LSM);
}

// Makes libbpf leave lsm_cgroup programs to prepare(). For good: libbpf 1.1 doesn't survive
// unregistering its last handler.
Status register_lsm_handler() {
    static const int handler = [] {
        struct libbpf_prog_handler_opts options {};
        options.sz = sizeof options;
        options.prog_prepare_load_fn = prepare;
        return ::libbpf_register_prog_handler("lsm_cgroup+", kPlaceholder, BPF_LSM_CGROUP,
                                              &options);
    }();
    if (handler < 0) return load_error(kWhat, kNeeds, -handler);
    return ok();
}

// `btf_path` is the BTF to relocate by, nullptr for the kernel's.
Result<Skeleton<guard_bpf>> open_skeleton(const char* btf_path) {
    listen_to_libbpf();
    struct bpf_object_open_opts options {};
    options.sz = sizeof options;
    options.btf_custom_path = btf_path;
    Skeleton<guard_bpf> skeleton(guard_bpf::open(&options));
    if (skeleton == nullptr) return load_error(kWhat, kNeeds, errno);
    return skeleton;
}

Result<std::vector<LoadedProgram>> load(const Skeleton<guard_bpf>& skeleton,
                                        const GuardScope& scope, Mode mode,
                                        const RecordMaps& record) {
    const bool is_confidential = TRY(kernel_is_confidential());
    skeleton->rodata->container_cgroup = scope.cgroup;
    skeleton->rodata->engine_network = scope.engine_network;
    skeleton->rodata->reads_kernel = is_confidential ? 0 : 1;
    skeleton->rodata->audit = mode == Mode::audit ? 1 : 0;
    if (const int failed = keep_unmapped(skeleton->maps.rodata); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    if (const int failed = share_record(skeleton->maps, record); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    if (const int failed = guard_bpf::load(skeleton.get()); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    return loaded_programs(skeleton->obj, kGuardTable);
}

// By what one pass over the kernel's BTF finds; nothing if that doesn't do.
std::optional<std::vector<LoadedProgram>> load_by_one_pass(const GuardScope& scope, Mode mode,
                                                           const RecordMaps& record) {
    const auto structures = StructuresFile::make();
    if (!structures) return std::nullopt;
    const auto skeleton = open_skeleton(structures->path());
    if (!skeleton) return std::nullopt;
    const std::optional<KernelTypes> types = find_types((*skeleton)->obj);
    if (!types || !structures->write(*types)) return std::nullopt;
    known_types = &*types;
    auto programs = load(*skeleton, scope, mode, record);
    known_types = nullptr;
    if (!programs) return std::nullopt;
    return std::move(*programs);
}

}  // namespace

Result<std::vector<LoadedProgram>> load_guard(const Cgroup& cgroup, Mode mode,
                                              const RecordMaps& record) {
    auto scope = TRY(read_scope(cgroup));
    TRY(register_lsm_handler());
    if (auto programs = load_by_one_pass(scope, mode, record)) return std::move(*programs);
    const auto skeleton = TRY(open_skeleton(nullptr));
    return load(skeleton, scope, mode, record);
}

}  // namespace jail_ai
