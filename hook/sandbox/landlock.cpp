// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The kernel's header that a distribution ships may be older than the kernel that runs, so its
// newer parts are spelled out.
#include "sandbox/phases.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>

#include "base/unique_fd.h"

namespace jail_ai {
namespace {

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kReadDirectory = LANDLOCK_ACCESS_FS_READ_DIR;

// struct landlock_ruleset_attr as of ABI 6 (Linux 6.12). An older kernel takes it as long as the
// members that it doesn't know are zero.
struct RulesetAttributes {
    std::uint64_t handled_access_fs;
    std::uint64_t handled_access_net;  // ABI 4
    std::uint64_t scoped;              // ABI 6
};

// What an ABI added; see landlock(7). A right that is handled and not granted by a rule is denied.
struct ExtraBlock {
    long abi;
    RulesetAttributes denied;
};

constexpr std::array kAdditions = std::to_array<ExtraBlock>({
    {1, {(1U << 13) - 1, 0, 0}},     // Linux 5.13: execute, write, read, remove and make
    {2, {1U << 13, 0, 0}},           // 5.19: refer, to link or rename into another directory
    {3, {1U << 14, 0, 0}},           // 6.2: truncate
    {4, {0, 1U << 0 | 1U << 1, 0}},  // 6.7: bind and connect TCP
    {5, {1U << 15, 0, 0}},           // 6.10: ioctl on devices
    {6, {0, 0, 1U << 0 | 1U << 1}},  // 6.12: abstract Unix sockets of others, signals to others
});

RulesetAttributes denied_by(long abi) {
    RulesetAttributes all{};
    for (const ExtraBlock& addition : kAdditions) {
        if (addition.abi > abi) break;
        all.handled_access_fs |= addition.denied.handled_access_fs;
        all.handled_access_net |= addition.denied.handled_access_net;
        all.scoped |= addition.denied.scoped;
    }
    return all;
}

Status let_read(int ruleset, const char* path) {
    const UniqueFd directory(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return system_error(std::string("open ") + path, errno, EX_OSFILE);
    landlock_path_beneath_attr rule{};
    rule.allowed_access = kReadFile | kReadDirectory;
    rule.parent_fd = directory.get();
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        return system_error(std::string("add a Landlock rule for ") + path, errno);
    return ok();
}

}  // namespace

Status enter_landlock() {
    const long abi =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return ok();  // not built in, or not switched on at boot
    if (abi < 0) return system_error("ask for the version of Landlock", errno);
    const RulesetAttributes denied = denied_by(abi);
    const UniqueFd ruleset(
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, &denied, sizeof denied, 0)));
    if (!ruleset) return system_error("make a Landlock ruleset", errno);
    for (const char* path : {"/proc", "/sys"}) TRY(let_read(ruleset.get(), path));
    if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        return system_error("enter a Landlock domain", errno);
    return ok();
}

}  // namespace jail_ai
