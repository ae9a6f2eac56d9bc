// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "sandbox/phases.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace jail_ai {
namespace {

using CapabilitySet = std::uint64_t;

constexpr CapabilitySet bit(int capability) {
    return CapabilitySet{1} << capability;
}

// Each is in use: tests/sandbox/capability_cases.cpp shows what fails without.
constexpr CapabilitySet kJailing =
    bit(CAP_SYS_ADMIN)    // open an attached program by its id, to see whether it is ours; includes
                          // CAP_BPF and CAP_PERFMON
    | bit(CAP_NET_ADMIN)  // ask what is attached, for which older kernels don't take CAP_SYS_ADMIN
    | bit(CAP_SYS_PTRACE)  // the container's namespaces and descriptors, the runtime's environment
    | bit(CAP_DAC_READ_SEARCH);  // mount sources below directories of other users; /proc/PID/fd of
                                 // a container in a user namespace

constexpr CapabilitySet used_by(Role role) {
    switch (role) {
        case Role::create_runtime:
        case Role::broker:
        // Users' runtimes keep their states where others have no access.
        case Role::show:
        case Role::verify:
        case Role::detach:
        case Role::attach:
        case Role::explain:
        case Role::refresh:
        case Role::watch:
        case Role::follow: return kJailing;
        // Whether the container has a cgroup namespace of its own; a bundle that belongs to another
        // user of the namespace.
        case Role::ask_broker: return bit(CAP_SYS_PTRACE) | bit(CAP_DAC_READ_SEARCH);
        case Role::prober:
            return bit(
                CAP_DAC_OVERRIDE);  // the cgroup of a rootless engine's container is its user's
        case Role::precreate:
        case Role::ask_to_show: return 0;
    }
    return 0;
}

// Every bit and its lock but KEEP_CAPS, which is only locked: it stays off.
constexpr unsigned long kSecureBits =
    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

using CapabilityData = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

__user_cap_header_struct own_header() {
    return {_LINUX_CAPABILITY_VERSION_3, 0};
}

Result<CapabilitySet> permitted() {
    auto header = own_header();
    CapabilityData data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) return system_error("capget", errno);
    return data[0].permitted | CapabilitySet{data[1].permitted} << 32;
}

Status set_capabilities(CapabilitySet set) {
    auto header = own_header();
    CapabilityData data{};
    for (std::size_t half = 0; half < data.size(); ++half) {
        data[half].permitted = static_cast<std::uint32_t>(set >> (32 * half));
        data[half].effective = data[half].permitted;
    }
    if (::syscall(SYS_capset, &header, data.data()) != 0) return system_error("capset", errno);
    return ok();
}

// Nothing that execve(2) could give, should there ever be one. Who lacks CAP_SETPCAP can't have it
// so, and needs it less: no_new_privs is set.
Status clear_bounding_set() {
    int capability = 0;
    while (::prctl(PR_CAPBSET_DROP, capability) == 0) ++capability;
    if (errno != EINVAL)
        return system_error("drop the capability bounding set",
                            errno);  // EINVAL: behind the kernel's last one
    if (::prctl(PR_SET_SECUREBITS, kSecureBits) != 0)
        return system_error("set the secure bits", errno);
    return ok();
}

}  // namespace

Status drop_privileges(Role role) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return system_error("set no_new_privs", errno);
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return system_error("clear the ambient capabilities", errno);
    auto held = TRY(permitted());
    if (held & bit(CAP_SETPCAP)) {
        // What is permitted need not be effective.
        TRY(set_capabilities(held));
        TRY(clear_bounding_set());
    }
    return set_capabilities(held & used_by(role));
}

}  // namespace jail_ai
