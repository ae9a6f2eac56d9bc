// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/jail_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/quote.h"
#include "broker/client.h"
#include "commands/selected_jails.h"
#include "engines/container_names.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// In a user namespace, as "podman unshare" makes one, that uid is not the machine's root.
Result<bool> is_root() {
    const bool initial = TRY(in_initial_user_namespace());
    return initial && ::geteuid() == 0;
}

Result<std::string> ask_for_own(const JailView& view, const Arguments& asked) {
    TRY(confine(Role::ask_to_show));
    ShowRequest request{words_of(view.verb, asked), {}};
    for (RunningContainer& each : named_containers())
        request.names.push_back({std::move(each.id), std::move(each.name), std::move(each.cgroup)});
    return ask_to_show(kBrokerSocket, request);
}

}  // namespace

Error of_another_version() {
    return Error{EX_UNAVAILABLE, "its jail is of another version of jail-ai-hook: restart it"};
}

Result<PolicyInputs> inputs_of(const JailSnapshot& jail, std::vector<LocalRoute> routes) {
    if (!jail.metadata) return of_another_version();
    auto inputs = TRY(read_inputs(jail.metadata->inputs));
    inputs.host.routes = std::move(routes);
    return inputs;
}

Result<Outcome> show_jails(const JailView& view, const Arguments& asked) {
    if (!TRY(is_root())) {
        auto text = TRY(ask_for_own(view, asked));
        return Outcome{std::move(text), {}};
    }
    TRY(confine(view.role));
    auto all = TRY(read_jails(view.part));
    const auto jails =
        TRY(select_jails(std::move(all), named_containers(), view.containers(asked)));
    auto text = TRY(view.text(asked, jails));
    return Outcome{std::move(text), {}};
}

Result<std::string> show_jails_of(uid_t user, const ShowRequest& request) {
    const std::array<const JailView*, 4> views = {&kStatusView, &kLogView, &kSuggestView,
                                                  &kExplainView};
    const auto* const view = std::ranges::find(
        views, request.words.front(), [](const JailView* each) { return each->verb.name; });
    if (view == views.end())
        return Error{EX_USAGE,
                     fmt::format("{} is nothing that the broker shows", quote(request.words[0]))};
    std::vector<std::string> words(request.words.begin() + 1, request.words.end());
    std::vector<char*> pointers;
    std::ranges::transform(words, std::back_inserter(pointers),
                           [](std::string& word) { return word.data(); });
    const auto asked = TRY(parse_arguments((*view)->verb, pointers));
    std::vector<RunningContainer> named;
    for (const auto& [id, name, cgroup] : request.names)
        named.push_back({.id = id, .name = name, .owner = user, .cgroup = cgroup});
    auto own = TRY(read_jails_of(user, (*view)->part));
    const auto jails =
        TRY(select_jails(std::move(own), std::move(named), (*view)->containers(asked)));
    return (*view)->text(asked, jails);
}

}  // namespace jail_ai
