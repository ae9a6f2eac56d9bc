// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The ways to open a socket. Each gives a descriptor, or minus an errno.
#pragma once

#include <sys/socket.h>

#include "base/unique_fd.h"

namespace jail_ai::test {

struct SocketKind {
    int family;
    int type;
    int protocol;
};

int open_socket(const SocketKind& kind);

// By the 32-bit system call interface, whose socketcall(2) no seccomp filter can look into. -ENOSYS
// where the kernel has none.
int open_socket_by_socketcall(const SocketKind& kind);

// By io_uring (IORING_OP_SOCKET, Linux 5.19); with a kernel thread that polls the queue where
// `polled`.
int open_socket_by_io_uring(const SocketKind& kind, bool polled);

// 0 if it opened (and is closed again), else the errno.
int error_of(int descriptor);

}  // namespace jail_ai::test
