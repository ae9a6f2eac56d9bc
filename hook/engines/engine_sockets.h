// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The sockets by which container engines take orders: where they are by convention, and where
// engines listen now.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

struct Inode {
    dev_t device;
    ino_t number;

    bool operator==(const Inode&) const = default;
};

struct EngineSocket {
    std::string path;             // real path on the host; there need be no socket yet
    std::optional<Inode> socket;  // nothing if there is none yet
    // The directories on the way, from the root to the one that holds the socket, and their names.
    struct Directory {
        Inode inode;
        std::string name;
    };
    std::vector<Directory> directories;
};

// The name of a socket in the directory that is called as engines call theirs; nothing where there
// is none. Errors: EX_OSERR, EX_NOPERM.
Result<std::optional<std::string_view>> engine_socket_below(int directory);

// As the caller's mount and network namespace show them. Errors: EX_OSERR.
Result<std::vector<EngineSocket>> find_engine_sockets();

}  // namespace jail_ai
