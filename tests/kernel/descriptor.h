// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Handing a descriptor to another process, over a Unix socket.
#pragma once

#include "base/unique_fd.h"

namespace jail_ai::test {

void send_descriptor(int socket, int fd);
UniqueFd receive_descriptor(int socket);

}  // namespace jail_ai::test
