// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/lsm.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <string_view>

#include "base/kernel_release.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxModules = 4096;  // the kernel's own limit is a page

Result<bool> kernel_is_at_least(int major, int minor) {
    struct utsname name {};
    if (::uname(&name) != 0) return system_error("ask for the kernel's release", errno);
    return is_at_least(name.release, major, minor);
}

// Reads securityfs, and nothing mounted over it; empty if that has no such file.
Result<std::string> read_security_file(const char* path) {
    const auto fd = TRY(open_if_there(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    if (!fd) return std::string();
    struct statfs info {};
    if (::fstatfs(fd->get(), &info) != 0) return system_error(fmt::format("stat {}", path), errno);
    if (info.f_type != SECURITYFS_MAGIC) return std::string();
    auto text = TRY(read_all(fd->get(), kMaxModules).context(path));
    return text;
}

Result<bool> bpf_is_active() {
    const auto text = TRY(read_security_file("/sys/kernel/security/lsm"));
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view module = rest.substr(0, rest.find_first_of(",\n"));
        if (module == "bpf") return true;
        rest.remove_prefix(module.size() < rest.size() ? module.size() + 1 : rest.size());
    }
    return false;
}

}  // namespace

Result<bool> kernel_has_lsm_cgroup() {
#ifdef __aarch64__
    return kernel_is_at_least(6, 4);
#else
    return kernel_is_at_least(6, 0);
#endif
}

Result<bool> kernel_has_unix_hooks() {
    const bool is_new = TRY(kernel_is_at_least(6, 7));
    if (!is_new) return false;
    const auto types = TRY(stat_if_there(AT_FDCWD, "/sys/kernel/btf/vmlinux"));
    return types.has_value();
}

Result<bool> kernel_is_confidential() {
    const auto text = TRY(read_security_file("/sys/kernel/security/lockdown"));
    return text.find("[confidentiality]") != std::string::npos;
}

Result<bool> guard_is_available() {
    const bool is_initial = TRY(in_initial_user_namespace());
    if (!is_initial) return false;
    const bool is_new = TRY(kernel_has_lsm_cgroup());
    if (!is_new) return false;
    return bpf_is_active();
}

}  // namespace jail_ai
