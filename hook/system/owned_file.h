// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Files that another user owns, who may want their reader to wait, to fill its memory, or to show
// what a third one's file holds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

// `resolve`: RESOLVE_* of openat2(2) (Linux 5.6), for the way there. The path's last name is never
// followed. Errors of both: EX_OSERR if that call can't be had.

// Opens a directory that `owner` owns, to go on from there. Errors: EX_NOINPUT if there is none,
// EX_DATAERR for what is none or is another's.
Result<UniqueFd> open_owned_directory(int dirfd, const std::string& path, std::uint64_t resolve,
                                      uid_t owner);

// Reads a regular file that `owner` owns. Another file isn't even opened: neither a fifo
// nor a device notices. Errors: EX_NOINPUT if there is none, EX_DATAERR for a link, another
// kind, another's, or more than `most` bytes.
Result<std::string> read_owned_file(int dirfd, const std::string& path, std::uint64_t resolve,
                                    uid_t owner, std::size_t most);

}  // namespace jail_ai
