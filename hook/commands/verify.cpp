// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See verify.h.
#include "commands/verify.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/quoted.h"
#include "system/container_lookup.h"
#include "verify/probe.h"

namespace jail_ai {
namespace {

struct Asked {
    bool json = false;
    std::vector<std::string> containers;
};

Result<Asked> parse(std::span<char* const> words) {
    Asked asked;
    for (const std::string_view word : words) {
        if (word == "--json")
            asked.json = true;
        else if (word.empty() || word.front() == '-')
            return Error{EX_USAGE, fmt::format("unknown flag {}: verify takes --json and containers", quoted(word))};
        else
            asked.containers.emplace_back(word);
    }
    return asked;
}

// The words as beginnings of IDs that are there, names looked up.
Result<std::vector<std::string>> beginnings(const std::vector<std::string>& words, const VerifyFacts& facts) {
    std::vector<std::string> beginnings;
    for (const std::string& word : words) {
        const auto begins = [&](const std::string& id) { return id.starts_with(word); };
        if (std::ranges::any_of(facts.containers, begins, &SeenContainer::id) ||
            std::ranges::any_of(facts.jails, begins, [&](const ExaminedJail& jail) { return container_of(jail, facts.containers); })) {
            beginnings.push_back(word);
            continue;
        }
        auto found = find_container(word);
        if (!found) return std::move(found).error();
        beginnings.push_back(std::move(found->id));
    }
    return beginnings;
}

// What could not be looked at stays whichever container is meant: it may be among that.
void select(const std::vector<std::string>& beginnings, VerifyFacts& facts) {
    if (beginnings.empty()) return;
    const auto is_other = [&](const std::string& id) {
        return std::ranges::none_of(beginnings, [&](const std::string& beginning) { return id.starts_with(beginning); });
    };
    // A jail further up is judged with the containers that it holds.
    std::vector<SeenContainer> chosen;
    std::ranges::remove_copy_if(facts.containers, std::back_inserter(chosen), is_other, &SeenContainer::id);
    std::erase_if(facts.jails, [&](const ExaminedJail& jail) {
        const bool holds_one = std::ranges::any_of(chosen, [&](const SeenContainer& container) { return is_jailed(container, std::span(&jail, 1)); });
        return !holds_one && is_other(container_of(jail, facts.containers));
    });
    facts.containers = std::move(chosen);
}

}  // namespace

Result<Verification> verify(std::span<char* const> words) {
    const auto asked = parse(words);
    if (!asked) return asked.error();
    if (::geteuid() != 0) return Error{EX_NOPERM, "only root may look at BPF programs and at others' containers: run this as root"};
    auto facts = look_at_containers();
    if (!facts) return std::move(facts).error();
    const auto chosen = beginnings(asked->containers, *facts);
    if (!chosen) return chosen.error();
    select(*chosen, *facts);
    std::vector<Discrepancy> discrepancies = judge_containers(*facts);
    auto stale = find_stale(*facts);
    if (!stale) return std::move(stale).error();
    discrepancies.insert(discrepancies.end(), std::make_move_iterator(stale->begin()), std::make_move_iterator(stale->end()));
    std::ranges::stable_sort(discrepancies, {}, &Discrepancy::kind);
    return Verification{asked->json ? verification_to_machines(*facts, discrepancies) : verification_to_people(*facts, discrepancies),
                        discrepancies.empty() ? EX_OK : kSomethingFound};
}

}  // namespace jail_ai
