// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The driver of the escape suite: tries every route of the adversary without and with the jail, and
// believes only what the host saw.
//
//   escape [--adversary BINARY] [--hook BINARY] [--table FILE] [--only TEXT] [--world NAME] [--rows
//   | --published]
//
// The adversary is looked for beside the driver, the hook is $JAIL_AI_HOOK and the table the one
// compiled in, unless said. Without a hook, only says which routes get through on the bare kernel.
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>

#include "attempt.h"
#include "cage.h"
#include "failure.h"
#include "suite.h"

namespace {

using namespace escape;

// One processor for all: a packet is then on the wire before the call that sent it returns, and
// order is what it seems.
void stay_on_one_processor() {
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (::sched_getaffinity(0, sizeof(allowed), &allowed)) give_up("ask for processors");
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed)) {
            CPU_SET(cpu, &one);
            break;
        }
    if (::sched_setaffinity(0, sizeof(one), &one)) give_up("stay on one processor");
}

Options parse(int argc, char** argv) {
    Options options;
    options.adversary =
        std::filesystem::read_symlink("/proc/self/exe").replace_filename("adversary");
    if (const char* hook = std::getenv("JAIL_AI_HOOK")) options.hook = hook;
    for (int i = 1; i < argc; i++) {
        std::string key = argv[i];
        if (key == "--rows")
            options.published = false;
        else if (key == "--published")
            options.rows = false;
        else if (i + 1 < argc && key == "--adversary")
            options.adversary = argv[++i];
        else if (i + 1 < argc && key == "--table")
            options.table = argv[++i];
        else if (i + 1 < argc && key == "--hook")
            options.hook = argv[++i];
        else if (i + 1 < argc && key == "--world")
            options.world = argv[++i];
        else if (i + 1 < argc && key == "--only")
            options.only = argv[++i];
        else {
            std::fprintf(stderr,
                         "usage: escape [--adversary BINARY] [--hook BINARY] [--table FILE] "
                         "[--only TEXT] [--world NAME] [--rows | --published]\n");
            std::exit(64);
        }
    }
    return options;
}

void run_world(const Options& options, const World& world, Tally& tally) {
    const std::string name = world.name;
    Lab lab(world);
    if (!lab.lacking().empty()) return tally.skip("world " + name, lab.lacking());
    tally.world = name == "plain" ? "" : name + ": ";
    Workplace workplace;
    auto begin = std::chrono::steady_clock::now();
    if (options.rows) run_rows(options, workplace, lab, tally);
    if (options.published && !options.hook.empty()) run_published(options, workplace, lab, tally);
    if (!workplace.clear()) tally.fail("clean-up", "cgroups were left behind");
    tally.world.clear();
    std::printf("# world %s: %.1f s\n", world.name,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

}  // namespace

int main(int argc, char** argv) try {
    const Options options = parse(argc, argv);
    ::setvbuf(stdout, nullptr, _IOLBF, 0);
    if (::geteuid() != 0) {
        std::printf("skip - escape: needs root, for network namespaces and BPF\n");
        return 77;
    }
    ::signal(SIGPIPE, SIG_IGN);
    stay_on_one_processor();

    Tally tally;
    bool known = false;
    for (const World& world : all_worlds()) {
        if (!options.world.empty() && options.world != world.name) continue;
        known = true;
        run_world(options, world, tally);
    }
    if (!known) tally.fail("world " + options.world, "there is none of this name");
    std::printf("# %u ok, %u not ok, %u skipped, %u known to be open\n", tally.passed, tally.failed,
                tally.skipped, tally.open);
    return tally.failed == 0 ? 0 : 1;
} catch (const std::exception& failure) {  // of the laboratory, as give_up()
    std::printf("not ok - harness: %s\n", failure.what());
    return 1;
}
