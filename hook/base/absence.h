// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which failure of a system call says that what was asked for is not there. No other does: after
// EIO, ENOMEM, EINTR or EPERM nothing is known, and a check that treated that as "there is none"
// would start what it ought to reject.
#pragma once

#include <cerrno>
#include <string_view>

#include "base/result.h"

namespace jail_ai {

enum class Sought {
    file,
    // By its path, for what the container could do with it: the container may do no more than the
    // hook, which has CAP_DAC_READ_SEARCH where its engine has it.
    reachable_file,
    kernel_file,  // of a process or a cgroup; the process itself
    file_handle,  // what name_to_handle_at(2) was asked for
    interface,    // of a network, by its number
    socket_family,
    bpf_object,  // by its ID, or as an element of a map
};

constexpr bool means_absent(Sought what, int number) {
    const auto is_one_of = [&](auto... numbers) { return ((number == numbers) || ...); };
    switch (what) {
        case Sought::file: return is_one_of(ENOENT, ENOTDIR);  // path_resolution(7)
        case Sought::reachable_file:
            return is_one_of(ENOENT, ENOTDIR, EACCES);  // the same
        // ESRCH: the process has ended (get_proc_task() in fs/proc, pidfd_open(2)). ENODEV: the
        // cgroup was removed (kernfs_get_active() in fs/kernfs/file.c).
        case Sought::kernel_file: return is_one_of(ENOENT, ESRCH, ENODEV);
        case Sought::file_handle: return is_one_of(ENOENT, ENODEV, ESTALE);  // open_by_handle_at(2)
        case Sought::interface: return is_one_of(ENODEV);                    // netdevice(7)
        case Sought::socket_family: return is_one_of(EAFNOSUPPORT);          // socket(2)
        case Sought::bpf_object: return is_one_of(ENOENT);                   // bpf(2)
    }
    return false;
}

// As system_error(), with EX_NOINPUT where the number means that there is no such thing.
inline Error lookup_error(std::string_view doing, int number, Sought what,
                          int exit_code = EX_OSERR) {
    return system_error(doing, number, means_absent(what, number) ? EX_NOINPUT : exit_code);
}

// Did the look-up fail by that, as lookup_error() says it?
template <typename T>
bool is_absent(const Result<T>& found) {
    return !found && found.error().exit_code == EX_NOINPUT;
}

}  // namespace jail_ai
