// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The kernel tests: the real hook, real sockets, a real cgroup and real network namespaces, on the
// kernel that runs. Needs root and no other program, so that it also runs alone in an initramfs.
//
// usage: kernel-tests [doctest options]     JAIL_AI_HOOK names the hook's binary
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "container.h"
#include "must.h"
#include "protocol_reporter.h"
#include "supervisor.h"
#include "test_cgroup.h"

namespace jail_ai::test {
namespace {

constexpr int kSkipped = 77;

int run_tests(int argc, char** argv, const std::string& hook, const std::string& cgroup) {
    TestCgroup::set_suite_root(cgroup);
    Laboratory laboratory(hook);
    doctest::Context context;
    context.setOption("reporters", "protocol");
    context.setOption("no-intro", true);
    context.setOption("no-version", true);
    context.applyCommandLine(argc, argv);
    context.run();
    const ResultCounts counts = result_counts();
    if (counts.failed != 0) return EXIT_FAILURE;
    if (counts.passed != 0) return EXIT_SUCCESS;
    return counts.skipped != 0 ? kSkipped : EXIT_FAILURE;
}

}  // namespace
}  // namespace jail_ai::test

int main(int argc, char** argv) {
    using namespace jail_ai::test;
    for (int fd = 0; fd < 3; fd++)
        if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return EXIT_FAILURE;
    const char* from_environment = std::getenv("JAIL_AI_HOOK");
    const std::string hook = from_environment != nullptr ? from_environment : DEFAULT_HOOK;
    if (::geteuid() != 0) {
        std::puts("skip - kernel tests: they need root");
        return kSkipped;
    }
    if (cgroup2_mount().empty()) {
        std::puts("skip - kernel tests: no cgroup2 file system is mounted");
        return kSkipped;
    }
    try {
        return supervised(
            [&](const std::string& cgroup) { return run_tests(argc, argv, hook, cgroup); });
    } catch (const std::exception& error) {
        std::printf("not ok - supervisor: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
