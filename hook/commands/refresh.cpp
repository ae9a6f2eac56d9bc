// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/refresh.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "base/deadline.h"
#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/denial_text.h"
#include "commands/explanation.h"
#include "commands/select_running.h"
#include "commands/verbs.h"
#include "container/container_id.h"
#include "container/json_writer.h"
#include "jail/connections.h"
#include "jail/refresh.h"
#include "sandbox/sandbox.h"
#include "system/cgroup_walk.h"
#include "system/process.h"
#include "system/routes.h"

namespace jail_ai {
namespace {

constexpr std::string_view kDryRun = "--dry-run", kJson = "--json";
constexpr std::size_t kProgressStep = 50;  // jails

// A jail whose rules have changed. No descriptor of it is open, for there may be many.
struct Changed {
    std::size_t at;  // among all that were looked at
    std::uint32_t program;
    Rules rules;
    std::uint64_t cgroup;  // its id
};

// Ends nothing if the jail or the cgroup has gone meanwhile.
Result<unsigned> end_connections(const Changed& changed) {
    const auto jail = TRY(open_jail(changed.program));
    if (!jail) return 0U;
    auto directory = TRY(open_cgroup_by_id(changed.cgroup));
    return directory ? end_blocked_connections(directory->get(), *jail, changed.rules) : 0U;
}

// To be called when all rules have changed: until those of a jail have, new connections are made
// there, while those from before are cut by then.
void end_connections(const std::vector<Changed>& changed, std::vector<Refreshed>& all) {
    for (const Changed& each : changed) {
        if (auto ended = end_connections(each))
            all[each.at].ended = *ended;
        else
            all[each.at].warning = fmt::format(
                "connections from before are cut, but programs that have them may wait for "
                "answers: {}",
                ended.error().message);
    }
}

// Also where no destination's verdict differs, its reason may: by that the programs know a source
// of the host's.
bool have_same_rules(const Rules& one, const Rules& other) {
    return std::ranges::equal(one, other, [](const auto& a, const auto& b) {
        return a.first == b.first &&
               std::memcmp(&a.second.value, &b.second.value, sizeof a.second.value) == 0;
    });
}

Refreshed refresh_one(const OpenJail& jail, RulesDiff& diff, bool only_look) {
    Refreshed refreshed{std::move(diff.container), {}, std::move(diff.left_alone), 0, {}, {}};
    if (!refreshed.left_alone.empty()) return refreshed;
    refreshed.changes = find_differences(diff.attached, diff.desired);
    if (only_look || have_same_rules(diff.attached, diff.desired)) return refreshed;
    if (auto done = apply(jail, diff); !done) refreshed.failure = done.error().message;
    return refreshed;
}

std::string to_people(const std::vector<Refreshed>& jails, bool only_look) {
    std::string text;
    std::size_t changed = 0;
    for (const Refreshed& jail : jails) {
        if (!jail.left_alone.empty())
            text += fmt::format("{}: left alone: {}\n", container_text(jail.container),
                                jail.left_alone);
        if (!jail.failure.empty())
            text += fmt::format("{}: {}\n", container_text(jail.container), jail.failure);
        if (!jail.warning.empty())
            text += fmt::format("{}: {}\n", container_text(jail.container), jail.warning);
        if (jail.changes.empty()) continue;
        ++changed;
        text += fmt::format("{}:\n", container_text(jail.container));
        for (const std::string& change : jail.changes) text += fmt::format("  {}\n", change);
        if (jail.ended != 0) text += fmt::format("  {} connections ended\n", jail.ended);
    }
    return printable(text, "\n") + fmt::format("{} {} looked at, {} {}\n", jails.size(),
                                               jails.size() == 1 ? "jail" : "jails", changed,
                                               only_look ? "not up to date" : "brought up to date");
}

std::string to_machines(const std::vector<Refreshed>& jails, bool only_look) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    writer.Key("dry_run");
    writer.Bool(only_look);
    writer.Key("jails");
    writer.StartArray();
    for (const Refreshed& jail : jails) {
        writer.StartObject();
        put(writer, "container", printable(jail.container));
        put_all(writer, "changes", jail.changes);
        writer.Key("connections_ended");
        writer.Uint(jail.ended);
        if (!jail.left_alone.empty()) put(writer, "left_alone", jail.left_alone);
        if (!jail.warning.empty()) put(writer, "warning", jail.warning);
        if (!jail.failure.empty()) put(writer, "failure", jail.failure);
        writer.EndObject();
    }
    writer.EndArray();
    writer.EndObject();
    return line_of(buffer);
}

void report_progress(std::size_t done) {
    if (done % kProgressStep == 0) std::fprintf(stderr, "\r%zu jails", done);
}

}  // namespace

Result<std::vector<Refreshed>> refresh_jails(
    const LockFile& lock, OtherPrograms& others, const RefreshOptions& options,
    const std::function<void(std::size_t done)>& progress) {
    const auto held = TRY(lock.wait());
    auto network = TRY(current_network_namespace());
    auto routes = TRY(read_local_routes());
    std::vector<Refreshed> all;
    std::vector<Changed> changed;
    auto visited = for_each_jail(0, others, [&](OpenJail& jail) -> Status {
        auto diff = compare(jail, routes, network);
        if (!diff) {
            all.push_back({{}, {}, {}, 0, {}, std::move(diff).error().message});
        } else if (options.meant.has(diff->container)) {
            all.push_back(refresh_one(jail, *diff, options.only_look));
            const Refreshed& done = all.back();
            if (!options.only_look && !done.changes.empty() && done.failure.empty())
                changed.push_back(
                    {all.size() - 1, jail.program, std::move(diff->desired), diff->cgroup});
        }
        progress(all.size());
        return ok();
    });
    end_connections(changed, all);
    if (!visited) return std::move(visited).error();
    return all;
}

namespace {

Result<Outcome> refresh(const Arguments& asked, const Caller& caller) {
    const auto lock = TRY(LockFile::open(kRulesLock));
    TRY(confine(Role::refresh));
    const RefreshOptions options{asked.has(kDryRun), select_running(asked.words)};
    OtherPrograms others;
    auto jails = refresh_jails(
        lock, others, options,
        caller.reads_progress ? report_progress : [](std::size_t /*done*/) {});
    if (caller.reads_progress && jails && jails->size() >= kProgressStep)
        std::fputs("\r\x1b[K", stderr);
    if (!jails) return std::move(jails).error();
    std::vector<std::string_view> ids;
    std::ranges::transform(*jails, std::back_inserter(ids), &Refreshed::container);
    TRY(check_jailed(options.meant, ids));
    const bool failed =
        std::ranges::any_of(*jails, [](const Refreshed& jail) { return !jail.failure.empty(); });
    return Outcome{asked.has(kJson) ? to_machines(*jails, options.only_look)
                                    : to_people(*jails, options.only_look),
                   {},
                   failed ? EX_OSERR : EX_OK};
}

constexpr Option kOptions[] = {
    {kDryRun, "", "shows what would change, and changes nothing"},
    {kJson, "", "for machines"},
};

}  // namespace

const Verb kRefresh{
    .name = "refresh",
    .summary = "updates the rules of jails to the host's current addresses",
    .about = "What is denied before and after stays denied meanwhile.",
    .options = kOptions,
    .words = kContainers,
    .only_root_may = "change the rules of jails",
    .deadline = kVerifyDeadlineSeconds,
    .run = refresh,
};

}  // namespace jail_ai
