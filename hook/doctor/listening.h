// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who listens, by the kernel's own list of Unix sockets.
#pragma once

#include <string_view>

namespace jail_ai {

// Does a process listen at that path? `unix_sockets` is /proc/net/unix (proc(5)).
bool is_listened_at(std::string_view unix_sockets, std::string_view path);

}  // namespace jail_ai
