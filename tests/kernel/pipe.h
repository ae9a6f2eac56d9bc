// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A pipe between processes of a test, closed on exec.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "must.h"

namespace jail_ai::test {

struct Pipe {
    explicit Pipe(int more_flags = 0) {
        int ends[2];
        must(::pipe2(ends, O_CLOEXEC | more_flags), "make a pipe");
        reader = UniqueFd(ends[0]);
        writer = UniqueFd(ends[1]);
    }
    UniqueFd reader, writer;
};

}  // namespace jail_ai::test
