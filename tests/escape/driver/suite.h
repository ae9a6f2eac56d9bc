// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The two halves of the suite, and how cases are counted.
#pragma once

#include <cstdio>
#include <string>

#include "cage.h"
#include "lab.h"

namespace escape {

struct Options {
    std::string adversary, table, hook, only;
    bool rows = true, published = true;
    std::string world;  // only this one
};

struct Tally {
    unsigned passed = 0, failed = 0, skipped = 0, open = 0;

    std::string world;  // in front of every name, with a colon, but for the plain one

    void pass(const std::string& name) {
        passed++;
        std::printf("ok - %s%s\n", world.c_str(), name.c_str());
    }
    void fail(const std::string& name, const std::string& why) {
        failed++;
        std::printf("not ok - %s%s: %s\n", world.c_str(), name.c_str(), why.c_str());
    }
    void skip(const std::string& name, const std::string& why) {
        skipped++;
        std::printf("skip - %s%s: %s\n", world.c_str(), name.c_str(), why.c_str());
    }
    void known_open(const std::string& name, const std::string& why) {
        open++;
        std::printf("# known open: %s%s: %s\n", world.c_str(), name.c_str(), why.c_str());
    }
    // Passes when why is empty.
    void check(const std::string& name, const std::string& why) {
        why.empty() ? pass(name) : fail(name, why);
    }
};

// Every route of the adversary: nothing that carries the container's data arrives.
void run_rows(const Options& options, const Workplace& workplace, Lab& lab, Tally& tally);
// What must work in spite of the jail, and no more than that.
void run_published(const Options& options, const Workplace& workplace, Lab& lab, Tally& tally);

}  // namespace escape
