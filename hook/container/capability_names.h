// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The kernel's capabilities by name, capabilities(7). Runtimes read a name that is none of these in
// ways of their own: crun takes numbers, and whatever follows a name; runc passes over it.
#pragma once

#include <strings.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace jail_ai {

// By number, as of Linux 5.9.
inline constexpr std::array kCapabilityNames = std::to_array<std::string_view>({
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
});
static_assert(kCapabilityNames[12] == "CAP_NET_ADMIN" && kCapabilityNames[21] == "CAP_SYS_ADMIN" &&
              kCapabilityNames[39] == "CAP_BPF");

// The name as above, without regard to case; nothing for one that is not in the list.
inline std::optional<std::string_view> capability_named(std::string_view name) {
    for (const std::string_view known : kCapabilityNames)
        if (known.size() == name.size() &&
            ::strncasecmp(known.data(), name.data(), name.size()) == 0)
            return known;
    return std::nullopt;
}

}  // namespace jail_ai
