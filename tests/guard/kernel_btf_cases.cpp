// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The one pass over the kernel's BTF finds what libbpf finds, on whatever kernel runs; and what
// isn't BTF is turned down.
#include "jail/kernel_btf.h"

#include <bpf/libbpf.h>

#include "jail/kernel_btf_file.h"
#include "local_btf.h"
#include "rig.h"

namespace jail_ai::test {
namespace {

// Of a structure's member, or -1; if there are several of the name, of the first that has it.
long bits_of(const btf& types, const char* structure, std::string_view member) {
    for (std::uint32_t id = 1; id < ::btf__type_cnt(&types); id++) {
        const btf_type* type = ::btf__type_by_id(&types, id);
        if (!::btf_is_struct(type) ||
            std::string_view(::btf__name_by_offset(&types, type->name_off)) != structure)
            continue;
        for (std::uint32_t i = 0; i < ::btf_vlen(type); i++)
            if (member == ::btf__name_by_offset(&types, ::btf_members(type)[i].name_off))
                return ::btf_member_bit_offset(type, i);
    }
    return -1;
}

TEST_CASE("one pass over the kernel's BTF finds what libbpf finds") {
    const Btf kernel(::btf__load_vmlinux_btf());
    if (kernel == nullptr) SKIP_CASE("no BTF on this kernel");
    auto file = KernelBtfFile::open();
    REQUIRE(file);
    const Btf local = wanted_structures();
    const auto found = find_kernel_types(
        file->text(), *local,
        {"bpf_lsm_socket_create", "bpf_lsm_file_receive", "bpf_lsm_no_such_hook"});
    REQUIRE(found);
    for (const char* name : {"bpf_lsm_socket_create", "bpf_lsm_file_receive"}) {
        INFO(name);
        const int id = ::btf__find_by_name_kind(kernel.get(), name, BTF_KIND_FUNC);
        const auto ours = found->functions.find(name);
        CHECK((ours != found->functions.end()) == (id > 0));
        if (ours != found->functions.end()) CHECK(static_cast<int>(ours->second) == id);
    }
    CHECK_FALSE(found->functions.contains("bpf_lsm_no_such_hook"));

    const Btf extract(
        ::btf__new(found->structures.data(), static_cast<std::uint32_t>(found->structures.size())));
    REQUIRE(extract != nullptr);
    CHECK(bits_of(*extract, "socket", "sk") == bits_of(*kernel, "socket", "sk"));
    CHECK(bits_of(*extract, "socket", "sk") > 0);
    CHECK(bits_of(*extract, "unix_address", "name") == bits_of(*kernel, "unix_address", "name"));
    CHECK(bits_of(*extract, "unix_address", "name") > 0);
    CHECK(bits_of(*extract, "sockaddr_un", "sun_path") == 16);
    CHECK(bits_of(*extract, "in6_addr", "in6_u") == 0);
    CHECK(bits_of(*extract, "no_such_structure", "sk") == -1);
    CHECK(bits_of(*extract, "socket", "ops") == -1);
}

TEST_CASE("BTF that is cut off or nonsense is turned down") {
    auto file = KernelBtfFile::open();
    if (!file) SKIP_CASE("no BTF on this kernel");
    const std::string_view whole = file->text();
    const Btf local = wanted_structures();
    for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{23}, std::size_t{24},
                                   std::size_t{1000}, whole.size() / 2, whole.size() - 1}) {
        INFO(size << " bytes");
        CHECK_FALSE(find_kernel_types(whole.substr(0, size), *local, {}));
    }
    CHECK_FALSE(find_kernel_types(std::string(5000, 'x'), *local, {}));
    CHECK(find_kernel_types(whole, *local, {}));
}

TEST_CASE("BTF whose types lead in a circle is read to its end") {
    const Btf local = wanted_structures();
    const Btf circle(::btf__new_empty());
    const int name = ::btf__add_typedef(circle.get(), "circle", 1);
    REQUIRE(name == 1);
    const int inside = ::btf__add_struct(circle.get(), nullptr, 8);
    ::btf__add_field(circle.get(), nullptr, inside, 0, 0);
    ::btf__add_field(circle.get(), nullptr, name, 0, 0);
    ::btf__add_struct(circle.get(), "socket", 8);
    ::btf__add_field(circle.get(), nullptr, inside, 0, 0);
    ::btf__add_field(circle.get(), "sk", name, 0, 0);
    std::uint32_t size = 0;
    const auto* bytes = static_cast<const char*>(::btf__raw_data(circle.get(), &size));
    const auto found = find_kernel_types({bytes, size}, *local, {});
    REQUIRE(found);
    const Btf extract(
        ::btf__new(found->structures.data(), static_cast<std::uint32_t>(found->structures.size())));
    REQUIRE(extract != nullptr);
    CHECK(bits_of(*extract, "socket", "sk") == -1);
}

}  // namespace
}  // namespace jail_ai::test
