// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "suggest": the annotations that would allow what a container was denied, ready to paste.
#include "base/deadline.h"
#include "commands/arguments.h"
#include "commands/jail_view.h"
#include "commands/status_report.h"
#include "commands/suggestion.h"
#include "commands/verbs.h"
#include "container/container_id.h"
#include "system/routes.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json";

Result<Suggestion> suggest_for(const JailSnapshot& jail, const std::vector<LocalRoute>& routes) {
    const auto inputs = TRY(inputs_of(jail, routes));
    return suggest(jail, inputs);
}

Result<std::string> suggestions_text(const Arguments& asked,
                                     const std::vector<JailSnapshot>& jails) {
    const auto routes = TRY(read_local_routes());
    std::vector<Suggestion> suggestions;
    for (const JailSnapshot& jail : jails) {
        auto suggestion = suggest_for(jail, routes);
        // One jail of another version doesn't hide the others.
        if (!suggestion && asked.words.empty())
            suggestion = Suggestion{
                .container = std::string(jail.container_id()),
                .name = jail.name,
                .left = {{"what it was denied", suggestion.error().message, all_denials(jail)}}};
        suggestions.push_back(
            TRY(std::move(suggestion).context(container_text(jail.container_id()))));
    }
    return asked.has(kJson) ? suggestions_to_machines(suggestions)
                            : suggestions_to_people(suggestions);
}

Result<Outcome> suggest_all(const Arguments& asked, const Caller& /*caller*/) {
    return show_jails(kSuggestView, asked);
}

constexpr Option kOptions[] = {{kJson, "", "for machines"}};

}  // namespace

const JailView kSuggestView{kSuggest, Role::explain, suggestions_text};

const Verb kSuggest{
    .name = "suggest",
    .summary = "shows the annotations that would allow what was denied",
    .about =
        "From the last different denials that the kernel remembers of each jail, also of audit.",
    .options = kOptions,
    .words = kContainers,
    .shows_own_to_users = true,
    .deadline = kVerifyDeadlineSeconds,
    .run = suggest_all,
};

}  // namespace jail_ai
