// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/absence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace jail_ai {
namespace {

constexpr Sought kAll[] = {Sought::file,        Sought::reachable_file, Sought::kernel_file,
                           Sought::file_handle, Sought::interface,      Sought::socket_family,
                           Sought::bpf_object};

TEST_CASE("what the kernel could not do says nothing about what is there") {
    for (const Sought what : kAll)
        for (const int number : {0,         EPERM,  EINTR,  EIO,     ENXIO,     E2BIG,       EBADF,
                                 EAGAIN,    ENOMEM, EFAULT, EBUSY,   EINVAL,    ENFILE,      EMFILE,
                                 EOVERFLOW, ENOSYS, ELOOP,  ENOBUFS, ETIMEDOUT, ENAMETOOLONG})
            CHECK_MESSAGE(!means_absent(what, number), static_cast<int>(what), " ", number);
}

TEST_CASE("each kind of thing has the errors that mean that there is none") {
    struct Row {
        Sought what;
        std::vector<int> numbers;
    };
    const Row rows[] = {{Sought::file, {ENOENT, ENOTDIR}},
                        {Sought::reachable_file, {ENOENT, ENOTDIR, EACCES}},
                        {Sought::kernel_file, {ENOENT, ESRCH, ENODEV}},
                        {Sought::file_handle, {ENOENT, ENODEV, ESTALE}},
                        {Sought::interface, {ENODEV}},
                        {Sought::socket_family, {EAFNOSUPPORT}},
                        {Sought::bpf_object, {ENOENT}}};
    REQUIRE(std::size(rows) == std::size(kAll));
    for (const Row& row : rows)
        for (int number = 0; number < 200; ++number)
            CHECK(means_absent(row.what, number) ==
                  (std::ranges::find(row.numbers, number) != row.numbers.end()));
}

TEST_CASE("a failed look-up is an absence by its errno alone") {
    CHECK(is_absent(Status(lookup_error("open 'x'", ENOENT, Sought::file))));
    CHECK_FALSE(is_absent(Status(lookup_error("open 'x'", EIO, Sought::file))));
    CHECK_FALSE(is_absent(Status(lookup_error("open 'x'", EACCES, Sought::reachable_file))));
    CHECK_FALSE(is_absent(ok()));
    CHECK(lookup_error("open 'x'", EIO, Sought::file, EX_IOERR).exit_code == EX_IOERR);
    CHECK(lookup_error("open 'x'", EPERM, Sought::file).exit_code == EX_NOPERM);
}

}  // namespace
}  // namespace jail_ai
