// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "verify": does every container that asks for the block have it, and is every jail as it should
// be? Fit for a timer or a monitoring check.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/deadline.h"
#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/container_selector.h"
#include "commands/verbs.h"
#include "sandbox/sandbox.h"
#include "verify/probe.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json";
constexpr int kSomethingFound = 1;  // exit code: all could be looked at, and not all is well

ContainerSelector meant_among(std::vector<std::string> words, const VerifyFacts& facts) {
    std::vector<RunningContainer> named;
    std::ranges::copy_if(facts.containers, std::back_inserter(named),
                         [](const SeenContainer& each) { return !each.name.empty(); });
    return {std::move(words), std::move(named)};
}

// What could not be looked at stays whichever container is meant: it may be among that.
Status select(const ContainerSelector& meant, VerifyFacts& facts) {
    if (meant.all()) return ok();
    std::vector<std::string> of_jails;
    std::ranges::transform(
        facts.jails, std::back_inserter(of_jails),
        [&](const JailSnapshot& jail) { return container_of(jail, facts.containers); });
    std::vector<std::string_view> ids(of_jails.begin(), of_jails.end());
    std::ranges::transform(facts.containers, std::back_inserter(ids), &SeenContainer::id);
    if (const std::string* unknown = meant.first_unknown(ids))
        return Error{EX_NOINPUT, fmt::format("no container {} runs", quote(*unknown))};
    // A jail further up is checked with the containers that it holds.
    std::vector<SeenContainer> chosen;
    std::ranges::copy_if(facts.containers, std::back_inserter(chosen),
                         [&](const SeenContainer& each) { return meant.has(each.id); });
    std::erase_if(facts.jails, [&](const JailSnapshot& jail) {
        const bool holds_one = std::ranges::any_of(chosen, [&](const SeenContainer& container) {
            return is_jailed(container, std::span(&jail, 1));
        });
        return !holds_one && !meant.has(container_of(jail, facts.containers));
    });
    facts.containers = std::move(chosen);
    return ok();
}

Result<Outcome> verify(const Arguments& asked, const Caller& /*caller*/) {
    TRY(confine(Role::verify));
    auto facts = TRY(collect_containers());
    TRY(select(meant_among(asked.words, facts), facts));
    Findings findings = check_containers(facts);
    auto stale = TRY(find_stale(facts));
    findings.insert(findings.end(), std::make_move_iterator(stale.begin()),
                    std::make_move_iterator(stale.end()));
    std::ranges::stable_sort(findings, {}, &Finding::kind);
    return Outcome{asked.has(kJson) ? verification_to_machines(facts, findings)
                                    : verification_to_people(facts, findings),
                   {},
                   std::ranges::any_of(findings, is_failure) ? kSomethingFound : EX_OK};
}

constexpr Option kOptions[] = {{kJson, "", "for machines"}};

}  // namespace

const Verb kVerify{
    .name = "verify",
    .summary = "reports containers that ask for the block and lack it, and damaged jails",
    .about =
        "Ends with 0 if all is well, with 1 if something was found; "
        "jail-ai-hook-verify.timer\n"
        "does it regularly.",
    .options = kOptions,
    .words = kContainers,
    .only_root_may = "look at BPF programs and at others' containers",
    .deadline = kVerifyDeadlineSeconds,
    .run = verify,
};

}  // namespace jail_ai
