// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The unit tests: pure code only, linked against nothing that could touch the machine.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "protocol_reporter.h"

int main(int argc, char** argv) {
    doctest::Context context;
    context.setOption("reporters", "protocol");
    context.setOption("no-intro", true);
    context.setOption("no-version", true);
    context.applyCommandLine(argc, argv);
    context.run();
    const auto counts = jail_ai::test::result_counts();
    return counts.failed == 0 && counts.passed != 0 ? 0 : 1;
}
