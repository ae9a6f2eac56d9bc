// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "doctor": checks whether the block works on this machine, for this user, and says how to fix it
// if not.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/deadline.h"
#include "commands/arguments.h"
#include "commands/verbs.h"
#include "doctor/probe.h"
#include "sandbox/sandbox.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json", kHooksDirs = "--others-hooks-dirs";

Result<Outcome> diagnose(const Arguments& arguments, const Caller& caller) {
    if (arguments.has(kHooksDirs)) {
        TRY(confine(Role::show));
        const auto directories = TRY(others_hooks_dirs());
        return Outcome{fmt::format("{}\n", fmt::join(directories, "\n")), {}};
    }
    TRY(start_prober());
    auto facts = try_machine();
    TRY(confine(Role::verify));
    read_machine(caller.surroundings, facts);
    const Findings findings = check_machine(facts);
    return Outcome{
        arguments.has(kJson) ? render_json(findings) : render_text(findings, caller.wants_colour),
        {},
        block_works(findings) ? EX_OK : EX_UNAVAILABLE};
}

constexpr Option kOptions[] = {
    {kJson, "", "for machines", Use::one_of},
    {kHooksDirs, "", "only lists where root's podman looks for hooks by the settings of others",
     Use::one_of},
};

}  // namespace

const Verb kDoctor{
    .name = "doctor",
    .summary = "checks whether the block works here, and says how to fix it if not",
    .about = "Ends with 0 if the block works for the caller, and with 69 if it doesn't.",
    .options = kOptions,
    .deadline = kVerifyDeadlineSeconds,
    .run = diagnose,
};

}  // namespace jail_ai
