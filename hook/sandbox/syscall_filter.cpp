// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The filters are made by libseccomp when the hook is built (filter/generate.cpp), not when it
// runs: making one takes about as long as all that the hook does besides loading BPF programs.
#include "sandbox/phases.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <span>

#include "sandbox/syscall_filters.h"

namespace jail_ai {
namespace {

std::span<const sock_filter> filter_of(Role role) {
    switch (role) {
        case Role::create_runtime: return kCreateRuntimeFilter;
        case Role::precreate: return kPrecreateFilter;
        case Role::ask_broker: return kAskBrokerFilter;
        case Role::broker: return kBrokerFilter;
        case Role::prober: return kProberFilter;
        case Role::show: return kShowFilter;
        case Role::verify: return kVerifyFilter;
        case Role::detach: return kDetachFilter;
        case Role::attach: return kAttachFilter;
        case Role::explain: return kExplainFilter;
        case Role::refresh: return kRefreshFilter;
        case Role::watch: return kWatchFilter;
        case Role::follow: return kFollowFilter;
        case Role::ask_to_show: return kAskToShowFilter;
    }
    return {};
}

}  // namespace

Status enter_syscall_filter(Role role) {
    if (!kHasSyscallFilter) return ok();
    const std::span<const sock_filter> filter = filter_of(role);
    const sock_fprog program{static_cast<unsigned short>(filter.size()),
                             const_cast<sock_filter*>(filter.data())};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        return system_error("enter the system call filter", errno);
    return ok();
}

}  // namespace jail_ai
