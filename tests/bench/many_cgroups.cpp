// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "many_cgroups.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "must.h"

namespace jail_ai::bench {

ManyCgroups::ManyCgroups(const test::TestCgroup& parent, std::size_t count)
    : parent_(parent), count_(count) {
    for (std::size_t i = 0; i < count_; ++i)
        test::must(::mkdirat(parent_.fd(), name(i).c_str(), 0755), "make a cgroup");
}

ManyCgroups::~ManyCgroups() {
    for (std::size_t i = 0; i < count_; ++i)
        ::unlinkat(parent_.fd(), name(i).c_str(), AT_REMOVEDIR);
}

std::string ManyCgroups::name(std::size_t number) {
    return fmt::format("c{}", number);
}

}  // namespace jail_ai::bench
