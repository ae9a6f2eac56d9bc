// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Bounded reads of files and directories.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/absence.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

// Everything up to end of file. Errors: EX_DATAERR for more than `most` bytes, EX_NOINPUT where the
// process or cgroup that the file is about has gone, EX_IOERR for another failed read.
Result<std::string> read_all(int fd, std::size_t most);

// Calls with each piece up to end of file. Errors: EX_IOERR for a failed read, or once the deadline
// has passed, and whatever `take` gives.
Status read_pieces(int fd, const std::function<Status(std::string_view)>& take);

// Nothing where there is none; `what` says which errors mean that. Errors of both: EX_OSERR,
// EX_NOPERM.
Result<std::optional<UniqueFd>> open_if_there(int dirfd, const std::string& path, int flags,
                                              Sought what = Sought::file);

// Of a link itself.
Result<std::optional<struct stat>> stat_if_there(int dirfd, const std::string& path,
                                                 Sought what = Sought::file);

// Opens a regular file below (or, for an absolute path, without regard to) dirfd. Never waits on a
// fifo or a device: what isn't a regular file is an EX_DATAERR. A missing file is an EX_NOINPUT.
Result<UniqueFd> open_regular_file(int dirfd, const std::string& path);

// What a path leads to for a process with that root directory, without reading it (O_PATH): name by
// name as path_resolution(7) says, never out of the root, which openat2(2) does in one call, whose
// flags a system call filter doesn't see. `check` sees each name on the way before it is gone
// through. Errors: those of `check`, EX_NOINPUT if there is none, EX_DATAERR for too many links,
// EX_NOPERM, EX_OSERR.
Result<UniqueFd> find_in_root(int root, std::string path,
                              const std::function<Status(int fd)>& check);

// To be read now. Errors: EX_OSERR, EX_NOPERM.
Result<UniqueFd> open_found(int found);

// The same as open_regular_file(), and reads it.
Result<std::string> read_regular_file(int dirfd, const std::string& path, std::size_t most);

// What a link of procfs says. Errors: EX_NOINPUT if there is none, EX_OSERR.
Result<std::string> read_link(int dirfd, const char* name);

// The path by which the kernel knows what is open. Error: EX_OSERR.
Result<std::string> path_of(int fd);

enum class Entries { all, directories };  // by the type that the file system gives with a name

// The names in a directory, relative to dirfd, in the file system's order, without "." and "..".
// What comes or goes meanwhile may be among them. Stops after `most`. Errors: EX_NOINPUT if the
// directory is missing, EX_NOPERM, EX_OSERR.
Result<std::vector<std::string>> list_directory(int dirfd, const std::string& path,
                                                Entries entries = Entries::all,
                                                std::size_t most = SIZE_MAX);

// Names of the directory that end so, as paths, sorted; none if the directory is missing. Errors:
// EX_NOPERM, EX_OSERR.
Result<std::vector<std::string>> files_in(const std::string& directory, std::string_view suffix);

// A file of procfs or cgroupfs, relative to dirfd. Errors: EX_NOINPUT where there is none, or what
// it is about has gone, EX_NOPERM, EX_OSERR, EX_IOERR.
Result<std::string> read_kernel_file(int dirfd, const char* path);

}  // namespace jail_ai
