// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is fuzzed of libbpf's users: the kernel's description of its own types.
#include "input.h"
#include "jail/kernel_btf.h"
#include "local_btf.h"

namespace jail_ai::test {

void fuzz_btf(std::string_view text) {
    static const Btf local = wanted_structures();
    const std::vector<char> bytes = copied(text);
    const auto found = find_kernel_types({bytes.data(), bytes.size()}, *local,
                                         {"bpf_lsm_socket_create", "bpf_lsm_file_receive"});
    if (!found) return check(found.error());
    const Btf extract(
        ::btf__new(found->structures.data(), static_cast<std::uint32_t>(found->structures.size())));
    must(extract != nullptr);
}

}  // namespace jail_ai::test
