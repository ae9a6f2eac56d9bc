// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See lsm.h.
#include "system/lsm.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <charconv>
#include <string_view>

#include "base/unique_fd.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxModules = 4096;  // the kernel's own limit is a page

// BPF_LSM_CGROUP came with Linux 6.0. Older kernels that have it by backport get no guard, which is the safe way to be wrong.
bool kernel_has_lsm_cgroup() {
    struct utsname name {};
    if (::uname(&name) != 0) return false;
    const std::string_view release = name.release;
    int major = 0;
    const auto [end, error] = std::from_chars(release.data(), release.data() + release.size(), major);
    return error == std::errc() && major >= 6;
}

bool bpf_is_active() {
    const UniqueFd fd(::open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct statfs info {};
    if (!fd || ::fstatfs(fd.get(), &info) != 0 || info.f_type != SECURITYFS_MAGIC) return false;
    const auto text = read_all(fd.get(), kMaxModules);
    if (!text) return false;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::string_view module = rest.substr(0, rest.find_first_of(",\n"));
        if (module == "bpf") return true;
        rest.remove_prefix(module.size() < rest.size() ? module.size() + 1 : rest.size());
    }
    return false;
}

}  // namespace

Result<bool> guard_is_available() {
    auto initial = in_initial_user_namespace();
    if (!initial) return std::move(initial).error();
    return *initial && kernel_has_lsm_cgroup() && bpf_is_active();
}

}  // namespace jail_ai
