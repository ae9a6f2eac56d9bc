// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "doctor/check_hooks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "base/quote.h"
#include "container/settings_file.h"
#include "engines/hooks_dirs.h"

namespace jail_ai {
namespace {

// What the hook must be called with there; empty if it has nothing to do. podman takes prestart
// for createRuntime.
std::string_view verb_of(std::string_view stage) {
    if (stage == "prestart") return "createRuntime";
    return stage == "createRuntime" || stage == "precreate" ? stage : std::string_view();
}

bool has_stage(const SeenHook& hook, std::string_view stage) {
    return std::ranges::find(hook.stages, stage) != hook.stages.end();
}

// Is it called, with the verb of the stage, for containers that ask?
bool does(const SeenHook& hook, std::string_view verb) {
    const bool has_it = std::ranges::any_of(
        hook.stages, [&](const std::string& stage) { return verb_of(stage) == verb; });
    return has_it && hook.verb == verb && hook.called_for != CalledFor::none;
}

bool has_flag(const SeenHook& hook, std::string_view start) {
    return std::ranges::any_of(hook.flags,
                               [&](const std::string& flag) { return flag.starts_with(start); });
}

// What becomes of containers that ask for nothing?
void check_unasked(const SeenHook& hook, const Defaults& settings, const std::string& remedy,
                   Findings& findings) {
    const bool for_all = hook.called_for == CalledFor::all;
    if (!for_all && jails_unasked(settings))
        findings.push_back(
            {FindingKind::problem, "hooks",
             fmt::format("{}: 'when' matches only containers with annotations: the others start "
                         "unprotected, although {} sets block-host",
                         quote(hook.file), kSettingsFile),
             remedy});
    const bool any_default = settings.settings.mode || has_flag(hook, "--block-host");
    if (for_all && hook.verb == "createRuntime" && !any_default && !has_flag(hook, "--if-asked"))
        findings.push_back({FindingKind::warning, "hooks",
                            fmt::format("{}: containers that don't ask for the block are rejected",
                                        quote(hook.file)),
                            R"(in that file, add "--if-asked" to "args")"});
}

void check_call(const SeenHook& hook, const Defaults& settings, Findings& findings) {
    const std::string remedy =
        fmt::format(R"(in that file, write "when": {{"always": true}}{})",
                    has_flag(hook, "--if-asked") ? "" : R"( and add "--if-asked" to "args")");
    const auto add = [&](FindingKind grade, std::string_view what) {
        findings.push_back({grade, "hooks", fmt::format("{}: {}", quote(hook.file), what), remedy});
    };
    switch (hook.called_for) {
        case CalledFor::all:
        case CalledFor::all_that_ask: break;
        case CalledFor::known_words:
            add(FindingKind::warning,
                "'when' does not match misspelled annotations: containers with one start "
                "unprotected, without a message");
            break;
        case CalledFor::some:
            add(FindingKind::warning,
                "'when' matches only some commands or mounts: other containers that ask for the "
                "block start unprotected");
            break;
        case CalledFor::none:
            add(FindingKind::problem,
                "'when' doesn't match jail-ai.block-host=true: podman starts such containers "
                "unprotected");
            break;
        case CalledFor::unknown:
            add(FindingKind::warning, "'when' has an expression that can't be checked here");
            break;
    }
    if (hook.called_for != CalledFor::none) check_unasked(hook, settings, remedy, findings);
    for (const std::string& stage : hook.stages)
        if (verb_of(stage).empty())
            findings.push_back(
                {FindingKind::problem, "hooks",
                 fmt::format("{} calls the hook at the stage {}, where it does nothing",
                             quote(hook.file), quote(stage)),
                 "in that file, write \"stages\": [\"createRuntime\"]"});
        else if (verb_of(stage) != hook.verb)
            findings.push_back(
                {FindingKind::problem, "hooks",
                 fmt::format("{} calls the hook with {} at the stage {}: podman starts no "
                             "container that asks for the block",
                             quote(hook.file), quote(hook.verb), quote(stage)),
                 fmt::format("in that file, write \"args\": [\"jail-ai-hook\", \"{}\"]",
                             verb_of(stage))});
}

}  // namespace

std::string list(const std::vector<std::string>& words) {
    const auto shown = std::span(words).first(std::min(words.size(), kMostListed));
    return fmt::format("{}{}", fmt::join(shown, " "),
                       words.size() > shown.size()
                           ? fmt::format(" and {} more", words.size() - shown.size())
                           : "");
}

void check_hooks(const MachineFacts& facts, Findings& findings) {
    bool jails = false;
    bool tightens = false;
    bool hides = false;  // has been reported with its own remedy
    for (const SeenHook& hook : facts.hooks) {
        if (!hook.error.empty()) {
            findings.push_back(
                {FindingKind::problem, "hooks",
                 fmt::format("{}: {}: podman starts no container", quote(hook.file), hook.error),
                 "fix or remove the file"});
        } else if (hook.is_ours && !hook.trouble.empty()) {
            findings.push_back(
                {FindingKind::problem, "hooks",
                 fmt::format("{} names {}, which is {}: {}", quote(hook.file), quote(hook.binary),
                             hook.trouble,
                             hook.trouble == "missing"
                                 ? "podman starts containers unprotected, without a message"
                                 : "podman starts no container"),
                 "install the package again, or remove that file"});
        } else if (hook.is_ours && hook.is_hidden) {
            hides = true;
            findings.push_back(
                {FindingKind::problem, "hooks",
                 fmt::format("{} or its binary is not in the mounts of podman's pause process: "
                             "podman starts containers unprotected, without a message",
                             quote(hook.file)),
                 "podman system migrate (it stops the user's containers); the next podman joins "
                 "the "
                 "mounts that it is started in"});
        } else if (hook.is_ours) {
            check_call(hook, facts.settings, findings);
            jails = jails || does(hook, "createRuntime");
            tightens = tightens || does(hook, "precreate");
        }
    }
    for (const LeftOutHooks& each : facts.left_out)
        findings.push_back(
            {FindingKind::warning, "hooks",
             fmt::format("{} names {} for hooks, and {} replaces that: podman calls none of them",
                         quote(each.named_by), quote(each.directory), quote(each.left_out_by)),
             fmt::format("in a file behind it in /etc/containers/containers.conf.d, write "
                         "hooks_dir with {} and {}",
                         quote(each.directory), list(facts.hooks_dirs))});
    const std::string dirs = list(facts.hooks_dirs);
    if (jails)
        findings.push_back({FindingKind::ok, "hooks",
                            fmt::format("podman calls createRuntime (hooks in {})", dirs), ""});
    else if (!hides)
        findings.push_back(
            {FindingKind::problem, "hooks",
             fmt::format("podman calls no createRuntime of jail-ai-hook (hooks in {})", dirs),
             fmt::format("install it, or name its directory in hooks_dir of containers.conf; the "
                         "default is {}",
                         kDefaultHooksDir)});
    if (tightens)
        findings.push_back({FindingKind::ok, "precreate", "podman calls precreate", ""});
    else if (!hides)
        findings.push_back(
            {facts.has_guard ? FindingKind::ok : FindingKind::warning, "precreate",
             facts.has_guard ? "podman doesn't call precreate, which BPF LSM makes unnecessary"
                             : "podman doesn't call precreate: containers that can open packet or "
                               "vsock sockets are rejected",
             facts.has_guard ? ""
                             : "install /etc/containers/containers.conf.d/50-jail-ai-hook.conf"});
    for (const SeenHook& hook : facts.shared_hooks)
        if (has_stage(hook, "precreate"))
            findings.push_back(
                {FindingKind::problem, "precreate",
                 fmt::format("{} has a stage that CRI-O doesn't know: it doesn't start",
                             quote(hook.file)),
                 "move it to a directory that only podman reads"});
}

}  // namespace jail_ai
