// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Socket families in seccomp rules. The programs on the cgroup check IP sockets; sockets of the
// families that reach the host past them are not to be opened. Seccomp sees the family, the first
// argument of socket(2) and socketpair(2), so the rules for these can be made to depend on it.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "seccomp/seccomp.h"

namespace jail_ai {

// IP is checked; Unix and netlink sockets stay in the container's namespaces; AF_ALG sockets reach
// nothing but the kernel's ciphers.
inline constexpr std::array<std::uint64_t, 5> kPermittedFamilies = {AF_UNIX, AF_INET, AF_INET6,
                                                                    AF_NETLINK, AF_ALG};

// The answer that the kernel gives for a family it doesn't have, for which programs are prepared.
inline constexpr SeccompAction kNoSuchFamily = {"SCMP_ACT_ERRNO", EAFNOSUPPORT};

// socket or socketpair.
enum class SocketCall { single, pair };

// The rules, written out family by family, without what lets other families pass than the
// permitted. For these nothing changes. To be used in the place of `rules`, which are rules_of() a
// system call. Error (EX_CONFIG): for a permitted family there are rules that overlap, of which
// it is unknown which libseccomp takes, or of a kind that it doesn't always get right.
Result<std::vector<SyscallRule>> restrict_families(const std::vector<SyscallRule>& rules,
                                                   const SeccompAction& otherwise,
                                                   SocketCall opening);

// May a socket of this family be opened, for some other arguments? Where rules contradict each
// other, "yes": it is unknown which libseccomp takes.
bool lets_family_pass(const std::vector<SyscallRule>& rules, const SeccompAction& otherwise,
                      std::uint64_t family);

}  // namespace jail_ai
