// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Whole files in one go: what the laboratory writes to procfs and cgroupfs has to arrive in a
// single write(2).
#pragma once

#include <string>
#include <string_view>

namespace jail_ai::test {

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view text, int dir_fd = -100 /* AT_FDCWD */);
// Creates or truncates it, for files of the laboratory's own.
void create_file(const std::string& path, std::string_view text);
void make_directory(const std::string& path);

}  // namespace jail_ai::test
