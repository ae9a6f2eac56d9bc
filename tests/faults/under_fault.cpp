// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The hook, called by a real runtime, with a fault in one of its system calls. Stands in for the
// hook in config.json: it becomes the hook, so that the runtime is the hook's parent, and a child
// of it traces it.
//
// Reads beside itself the file PLAN, "HOOK PROCESS CALL KIND", or "HOOK" for no fault. Writes
// OUTCOME: "CALL exit STATUS", or of a run without a fault a line "PROCESS CALL NAME KIND…" for
// each call.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "must.h"
#include "pipe.h"
#include "tracer.h"

namespace jail_ai::test {
namespace {

std::string own_directory() {
    char path[4096];
    const ssize_t size = must(::readlink("/proc/self/exe", path, sizeof path), "find oneself");
    const std::string own(path, static_cast<std::size_t>(size));
    return own.substr(0, own.rfind('/') + 1);
}

struct Plan {
    std::string hook;
    std::optional<Fault> fault;
};

Plan read_plan(const std::string& directory) {
    std::ifstream file(directory + "PLAN");
    Plan plan;
    Fault fault{};
    std::string kind;
    if (!(file >> plan.hook)) throw std::runtime_error("no PLAN");
    if (!(file >> fault.process >> fault.call >> kind)) return plan;
    const auto* const named =
        std::ranges::find_if(kKinds, [&](const NamedKind& each) { return each.name == kind; });
    if (named == std::end(kKinds)) throw std::runtime_error("no kind of fault " + kind);
    fault.kind = named->kind;
    plan.fault = fault;
    return plan;
}

void write_outcome(const std::string& directory, const Plan& plan, const Traced& traced) {
    std::ofstream file(directory + "OUTCOME");
    if (plan.fault) {
        file << (traced.injected ? name_of_call(traced.number) : "none") << " exit "
             << traced.exit_code << '\n';
        return;
    }
    for (const Call& call : without_long_rows(traced.calls)) {
        file << call.process << ' ' << call.call << ' ' << name_of_call(call.number);
        for (const auto& [kind, name] : kKinds)
            if (can_happen(kind, call)) file << ' ' << name;
        file << '\n';
    }
}

int be_hook(char** arguments) {
    const std::string directory = own_directory();
    const Plan plan = read_plan(directory);
    Pipe release;
    const pid_t hook = ::getpid();
    if (must(::fork(), "start the tracer") == 0) {
        for (int fd = 0; fd < 3; ++fd) ::close(fd);
        write_outcome(directory, plan, trace(hook, release.writer.get(), plan.fault));
        ::_exit(0);
    }
    await_tracer(release.reader.get());
    ::execv(plan.hook.c_str(), arguments);
    throw_errno("execute the hook");
}

}  // namespace
}  // namespace jail_ai::test

int main(int /*argc*/, char** arguments) {
    try {
        return jail_ai::test::be_hook(arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "under-fault: %s\n", error.what());
        return 125;
    }
}
