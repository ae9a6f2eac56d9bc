// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/lsm.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxModules = 4096;  // the kernel's own limit is a page

// Major and minor number, both 0 where the kernel's name has none.
std::pair<int, int> kernel_release() {
    struct utsname name {};
    if (::uname(&name) != 0) return {0, 0};
    const std::string_view release = name.release;
    std::pair<int, int> numbers{0, 0};
    const auto major =
        std::from_chars(release.data(), release.data() + release.size(), numbers.first);
    if (major.ptr != release.data() + release.size() && *major.ptr == '.')
        std::from_chars(major.ptr + 1, release.data() + release.size(), numbers.second);
    return numbers;
}

// Of securityfs, and of nothing that lies over it; empty where that has no such file.
std::string read_security_file(const char* path) {
    const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct statfs info {};
    if (!fd || ::fstatfs(fd.get(), &info) != 0 || info.f_type != SECURITYFS_MAGIC) return "";
    auto text = read_all(fd.get(), kMaxModules);
    return text ? std::move(*text) : "";
}

bool bpf_is_active() {
    const std::string text = read_security_file("/sys/kernel/security/lsm");
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view module = rest.substr(0, rest.find_first_of(",\n"));
        if (module == "bpf") return true;
        rest.remove_prefix(module.size() < rest.size() ? module.size() + 1 : rest.size());
    }
    return false;
}

}  // namespace

bool kernel_has_lsm_cgroup() {
    return kernel_release() >= std::pair(6, 0);
}

bool kernel_has_unix_hooks() {
    return kernel_release() >= std::pair(6, 7) && ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

bool kernel_is_confidential() {
    return read_security_file("/sys/kernel/security/lockdown").find("[confidentiality]") !=
           std::string::npos;
}

Result<bool> guard_is_available() {
    auto initial = TRY(in_initial_user_namespace());
    return initial && kernel_has_lsm_cgroup() && bpf_is_active();
}

}  // namespace jail_ai
