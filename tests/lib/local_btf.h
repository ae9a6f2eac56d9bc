// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Structures as a BPF object describes them, for what searches the kernel's for the same.
#pragma once

#include <bpf/btf.h>

#include <memory>

namespace jail_ai::test {

struct FreeBtf {
    void operator()(btf* types) const { ::btf__free(types); }
};
using Btf = std::unique_ptr<btf, FreeBtf>;

// struct socket { struct sock *sk; } and struct unix_address { struct sockaddr_un name[]; }, whose
// members lie behind others in the kernel, and struct in6_addr, which is a union inside.
inline Btf wanted_structures() {
    Btf local(::btf__new_empty());
    const int pointer = ::btf__add_ptr(local.get(), 0);
    const int number = ::btf__add_int(local.get(), "int", 4, BTF_INT_SIGNED);
    const int path = ::btf__add_array(local.get(), number,
                                      ::btf__add_int(local.get(), "char", 1, BTF_INT_SIGNED), 108);
    const int name = ::btf__add_struct(local.get(), "sockaddr_un", 110);
    ::btf__add_field(local.get(), "sun_path", path, 16, 0);
    const int names = ::btf__add_array(local.get(), number, name, 0);
    ::btf__add_struct(local.get(), "unix_address", 0);
    ::btf__add_field(local.get(), "name", names, 0, 0);
    ::btf__add_struct(local.get(), "socket", 8);
    ::btf__add_field(local.get(), "sk", pointer, 0, 0);
    const int bytes = ::btf__add_array(local.get(), number,
                                       ::btf__add_int(local.get(), "unsigned char", 1, 0), 16);
    const int forms = ::btf__add_union(local.get(), nullptr, 16);
    ::btf__add_field(local.get(), "u6_addr8", bytes, 0, 0);
    ::btf__add_struct(local.get(), "in6_addr", 16);
    ::btf__add_field(local.get(), "in6_u", forms, 0, 0);
    ::btf__add_struct(local.get(), "no_such_structure", 8);
    ::btf__add_field(local.get(), "sk", pointer, 0, 0);
    return local;
}

}  // namespace jail_ai::test
