// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/userspace_network_stack.h"

#include <algorithm>
#include <utility>

namespace jail_ai {
namespace {

constexpr std::string_view kHandler = "run.oci.handler", kKrun = "krun";

constexpr std::pair<std::string_view, std::string_view> kRuntimes[] = {
    {"runsc", "gVisor"},
    {"containerd-shim-runsc", "gVisor"},
    {"kata-", "Kata Containers"},
    {"containerd-shim-kata", "Kata Containers"},
    {"cloud-hypervisor", "a virtual machine"},
    {"firecracker", "a virtual machine"},
    {"qemu-system-", "a virtual machine"},
    {"crosvm", "a virtual machine"},
    {"urunc", "a unikernel"},
    {"runnc", "a unikernel"},
};

// Also as "runc (deleted)", and under a name that ends in a version.
constexpr std::string_view kKernelsStack[] = {"crun", "runc"};

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::string_view userspace_network_stack(std::string_view executable, std::string_view called) {
    if (last_part(called) == kKrun || last_part(executable) == kKrun) return kKrun;
    const auto* found = std::ranges::find_if(kRuntimes, [&](const auto& runtime) {
        return last_part(executable).starts_with(runtime.first);
    });
    return found == std::end(kRuntimes) ? std::string_view() : found->second;
}

bool is_known_runtime(std::string_view executable, std::string_view called) {
    return std::ranges::any_of(kKernelsStack, [&](std::string_view name) {
        return last_part(executable).starts_with(name) || last_part(called).starts_with(name);
    });
}

std::string_view userspace_network_stack(const Annotations& annotations) {
    const auto handler = annotations.find(kHandler);
    return handler != annotations.end() && handler->second == kKrun ? kKrun : std::string_view();
}

}  // namespace jail_ai
