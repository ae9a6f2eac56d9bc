// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Files that another user owns, who may want their reader to wait, to fill its memory, or to show
// what a third one's file holds.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

// Through no link on the way. Into another mount?
enum class Crossing { none, allowed };

// Opens a directory that `owner` owns, to go on from there. It asks the file system nothing that
// the kernel doesn't know already. Errors: EX_NOINPUT if there is none, EX_DATAERR for what is none
// or is another's.
Result<UniqueFd> open_owned_directory(int dirfd, const std::string& path, Crossing crossing,
                                      uid_t owner);

// Is it in the same mount as `above`, or in one of that type? Likewise. Errors: EX_DATAERR if not,
// EX_OSERR.
Status check_file_system(int fd, int above, std::string_view type);

// Reads a regular file that `owner` owns and that has no other name: by a second one, a large file
// would be there many times. Another file isn't even opened: neither a fifo nor a device notices.
// Errors: EX_NOINPUT if there is none, EX_DATAERR for a link, another kind, another's, one with
// several names, or more than `most` bytes.
Result<std::string> read_owned_file(int dirfd, const std::string& path, Crossing crossing,
                                    uid_t owner, std::size_t most);

// The same by an absolute path, through links, but on no way where a process could be asked (FUSE)
// or that leads into one (procfs): that is an EX_DATAERR, too.
Result<std::string> read_owned_file_through_links(const std::string& path, uid_t owner,
                                                  std::size_t most);

}  // namespace jail_ai
