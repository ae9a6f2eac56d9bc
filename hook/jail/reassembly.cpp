// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A release says little: distributions take fixes over. But the kernel's own types show it: what
// let go of the socket was that its pointer shared its place in sk_buff with `ip_defrag_offset`,
// which the fix moved out of there.
#include "jail/reassembly.h"

#include <memory>

#include "jail/kernel_btf.h"
#include "jail/kernel_btf_file.h"

namespace jail_ai {
namespace {

struct Free {
    void operator()(btf* types) const { ::btf__free(types); }
};
using Btf = std::unique_ptr<btf, Free>;

constexpr const char* kPacket = "sk_buff";
constexpr const char* kSocket = "sk";
constexpr const char* kOffset = "ip_defrag_offset";

// struct sk_buff { int ip_defrag_offset; struct sock *sk; }, in whatever order.
Btf wanted_members() {
    Btf local(::btf__new_empty());
    const int number = ::btf__add_int(local.get(), "int", 4, BTF_INT_SIGNED);
    const int pointer = ::btf__add_ptr(local.get(), 0);
    ::btf__add_struct(local.get(), kPacket, 16);
    ::btf__add_field(local.get(), kOffset, number, 0, 0);
    ::btf__add_field(local.get(), kSocket, pointer, 64, 0);
    return local;
}

bool has_member(const btf& types, const btf_type& structure, std::string_view name) {
    for (std::uint32_t i = 0; i < ::btf_vlen(&structure); ++i)
        if (name == ::btf__name_by_offset(&types, ::btf_members(&structure)[i].name_off))
            return true;
    return false;
}

}  // namespace

bool kernel_keeps_sockets_of_fragments() {
    const Btf local = wanted_members();
    const auto found = find_kernel_types(*local, {});
    if (!found) return false;
    const Btf types(
        ::btf__new(found->structures.data(), static_cast<std::uint32_t>(found->structures.size())));
    if (types == nullptr) return false;
    const int id = ::btf__find_by_name_kind(types.get(), kPacket, BTF_KIND_STRUCT);
    if (id < 0) return false;
    const btf_type& packet = *::btf__type_by_id(types.get(), static_cast<std::uint32_t>(id));
    return has_member(*types, packet, kSocket) && !has_member(*types, packet, kOffset);
}

}  // namespace jail_ai
