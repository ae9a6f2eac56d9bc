// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The kernel's description of its own types (BTF, some 5 MB), searched in one pass for the few that
// a jail's programs need. libbpf can do the same and takes several times as long, because it
// searches once for each name.
#pragma once

#include <bpf/btf.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

struct KernelTypes {
    using Ids = std::map<std::string, std::uint32_t, std::less<>>;

    Ids functions;                 // the kernel's id of each
    Ids structure_ids;             // likewise; the first of several with one name
    std::vector<char> structures;  // BTF with nothing in it but the members that were asked for
};

// Finds the functions by name, and for every structure that `local` describes the kernel's of that
// name, with the members that both have; what stands behind three underscores does not belong
// to the name (libbpf's "flavors"). What the kernel doesn't have is missing in the answer.
// Errors: no BTF (EX_UNAVAILABLE), or in a form that this can't read.
Result<KernelTypes> find_kernel_types(std::string_view kernel_btf, const btf& local,
                                      const std::set<std::string, std::less<>>& functions);

}  // namespace jail_ai
