// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A bundle on disk, and the files that it mounts into the container. Their paths come from the
// engine, which also opens them, with the same privileges.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/bundle.h"
#include "container/config.h"
#include "policy/facts.h"
#include "system/process.h"

namespace jail_ai {

struct BundleFiles {
    Config config;
    Bundle bundle;
    std::string path;    // of the bundle; empty if they did not come from one
    UniqueFd directory;  // likewise

    // Opens the bundle and reads its config.json. Errors: EX_NOINPUT if there is none,
    // EX_DATAERR for one that isn't one.
    static Result<BundleFiles> open(const std::string& path);

    // What a config.json would say of a process that has none, by the process itself: for services,
    // and containers whose bundle isn't known. Capabilities are those that it has or may yet get
    // (proc(5): CapInh to CapAmb, and CapBnd unless NoNewPrivs). It has no mounts: mountinfo has
    // them. Errors: EX_OSERR, EX_NOINPUT.
    static Result<BundleFiles> of_process(const Process& process);

    // What is mounted to name hosts and resolvers; empty if nothing is, or the engine will write
    // it later. Error: EX_DATAERR for what isn't a regular file, or too long.
    Result<NameFiles> read_name_files() const;
};

}  // namespace jail_ai
