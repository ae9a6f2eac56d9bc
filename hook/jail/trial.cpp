// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See trial.h.
#include "jail/trial.h"

#include <memory>

#include "jail/loading.h"
#include "jail/skeleton.h"

namespace jail_ai {
namespace {

struct Deleter {
    void operator()(jail_bpf* skeleton) const { jail_bpf::destroy(skeleton); }
};

}  // namespace

Status try_to_load() {
    constexpr std::string_view kWhat = "BPF programs";
    constexpr std::string_view kNeeds = "Linux 5.10 with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF";
    listen_to_libbpf();
    const std::unique_ptr<jail_bpf, Deleter> skeleton(jail_bpf::open());
    if (skeleton == nullptr) return load_error(kWhat, kNeeds, errno);
    if (const int failed = jail_bpf::load(skeleton.get()); failed != 0) return load_error(kWhat, kNeeds, -failed);
    return ok();
}

}  // namespace jail_ai
