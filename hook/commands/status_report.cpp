// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/status_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string_view>

#include "base/quote.h"
#include "commands/denial_text.h"
#include "container/container_id.h"
#include "container/json_writer.h"
#include "container/request.h"
#include "policy/reason.h"
#include "policy/risks.h"

namespace jail_ai {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kShownDenials = 5;  // of each jail, to people

std::string_view mode_of(const JailSnapshot& jail) {
    if (!jail.metadata) return "unknown";
    return jail.metadata->mode == Mode::audit ? "audit" : "enforce";
}

std::string_view guard_of(const JailSnapshot& jail) {
    if (!jail.metadata) return "unknown";
    switch (jail.metadata->guard) {
        case Guard::none: return "none";
        case Guard::unix_hooks: return "unix-hooks";
        case Guard::lsm: return "lsm";
    }
    return "unknown";
}

// To people, in the words of what createRuntime logs.
std::string_view guard_text(const JailMetadata& metadata) {
    switch (metadata.guard) {
        case Guard::none: return "no BPF LSM";
        case Guard::unix_hooks: return "no BPF LSM, abstract Unix sockets denied";
        case Guard::lsm: return "guarded";
    }
    return "guard unknown";
}

std::string id_of(const JailSnapshot& jail) {
    return printable(jail.container_id());
}

std::vector<std::string_view> risks_of(const JailSnapshot& jail) {
    std::vector<std::string_view> names;
    for (unsigned bit = 0; jail.metadata && bit < 32; ++bit)
        if ((jail.metadata->risks >> bit & 1) != 0)
            names.push_back(risk_name(static_cast<Risk>(bit)));
    return names;
}

std::uint64_t seconds_between(std::uint64_t then, std::uint64_t now) {
    return now > then ? (now - then) / kSecond : 0;
}

std::string span_text(std::uint64_t seconds) {
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
    if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} days", seconds / 86400);
}

void put_remembered(JsonWriter& writer, const RecentDenial& denial, const Now& now) {
    writer.StartObject();
    put_denial(writer, denial.what, denial.seen.pid, denial.seen.comm);
    put(writer, "count", denial.seen.count);
    put(writer, "seconds_ago", seconds_between(denial.seen.last, now.since_boot));
    writer.EndObject();
}

void put_jail(JsonWriter& writer, const JailSnapshot& jail, const Now& now) {
    writer.StartObject();
    put(writer, "container", id_of(jail));
    if (!jail.name.empty()) put(writer, "name", jail.name);
    put(writer, "cgroup", jail.cgroup);
    put(writer, "mode", mode_of(jail));
    put(writer, "errno", name_of(kDenialErrors, jail.denial_error));
    put(writer, "guard", guard_of(jail));
    if (jail.metadata) put(writer, "since", time_text(jail.metadata->since, false));
    put(writer, "prefixes", std::uint64_t{jail.prefixes});
    std::vector<std::string_view> programs;
    std::ranges::transform(jail.programs, std::back_inserter(programs), &JailProgram::name);
    put_all(writer, "programs", programs);
    put_all(writer, "risks", risks_of(jail));
    writer.Key("denials");
    writer.StartObject();
    for (std::size_t reason = 0; reason < jail.denials.size(); ++reason)
        put(writer, reason_name(static_cast<jail_reason>(reason)), jail.denials[reason]);
    writer.EndObject();
    writer.Key("recent_denials");
    writer.StartArray();
    for (const RecentDenial& denial : jail.recent_denials) put_remembered(writer, denial, now);
    writer.EndArray();
    writer.EndObject();
}

// A label's value, in which only these are escaped.
std::string label_text(std::string_view text) {
    std::string escaped;
    for (const char c : printable(text)) {
        if (c == '"' || c == '\\') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::string heading_of(const JailSnapshot& jail) {
    return jail.container_id().empty() ? "unknown container"
                                       : shown_container(jail.container_id(), jail.name);
}

// What it is: "enforce, guarded, 38 prefixes, for 2 min".
std::string about_text(const JailSnapshot& jail, const Now& now) {
    if (!jail.metadata)
        return fmt::format("of another version of jail-ai-hook, {} prefixes: restart it",
                           jail.prefixes);
    return fmt::format("{}{}, {}, {} prefixes, for {}", mode_of(jail),
                       jail.denial_error == DenialError::eperm
                           ? ""
                           : fmt::format(" with {}", name_of(kDenialErrors, jail.denial_error)),
                       guard_text(*jail.metadata), jail.prefixes,
                       span_text(seconds_between(jail.metadata->since, now.real)));
}

std::string labels_of(const JailSnapshot& jail) {
    return fmt::format("container=\"{}\",{}mode=\"{}\"", label_text(id_of(jail)),
                       jail.name.empty() ? "" : fmt::format("name=\"{}\",", label_text(jail.name)),
                       mode_of(jail));
}

}  // namespace

std::uint64_t all_denials(const JailSnapshot& jail) {
    return std::accumulate(jail.denials.begin(), jail.denials.end(), std::uint64_t{0});
}

std::string denials_text(const JailSnapshot& jail) {
    std::vector<std::string> texts;
    for (std::size_t reason = 0; reason < jail.denials.size(); ++reason)
        if (jail.denials[reason] != 0)
            texts.push_back(fmt::format("{} {}", reason_name(static_cast<jail_reason>(reason)),
                                        jail.denials[reason]));
    return texts.empty()
               ? "nothing denied"
               : fmt::format("{} {}: {}",
                             denied_by(jail.metadata ? jail.metadata->mode : Mode::enforce),
                             all_denials(jail), fmt::join(texts, ", "));
}

std::string status_to_people(const std::vector<JailSnapshot>& jails, const Now& now) {
    if (jails.empty()) return std::string(kNoJail);
    std::string text;
    for (const JailSnapshot& jail : jails) {
        text += fmt::format("{}  {}\n  {}\n  {}\n", heading_of(jail), about_text(jail, now),
                            quote(jail.cgroup), denials_text(jail));
        if (const auto open = risks_of(jail); !open.empty())
            text += fmt::format("  known risks: {}\n", fmt::join(open, ", "));
        for (std::size_t i = 0; i < std::min(kShownDenials, jail.recent_denials.size()); ++i) {
            const auto& [what, seen] = jail.recent_denials[i];
            text += fmt::format(
                "    {} ({}), {}, the last {} ago{}\n", denial_text(what), reason_name(what.reason),
                times_text(seen.count), span_text(seconds_between(seen.last, now.since_boot)),
                seen.pid == 0
                    ? ""
                    : fmt::format(" by {}, process {}", quote(comm_of(seen.comm)), seen.pid));
        }
        if (jail.recent_denials.size() > kShownDenials)
            text += fmt::format("    and {} others: --json shows them\n",
                                jail.recent_denials.size() - kShownDenials);
    }
    return printable(text, "\n");
}

std::string status_to_machines(const std::vector<JailSnapshot>& jails, const Now& now) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartArray();
    for (const JailSnapshot& jail : jails) put_jail(writer, jail, now);
    writer.EndArray();
    return line_of(buffer);
}

std::string status_to_prometheus(const std::vector<JailSnapshot>& jails) {
    std::string text = fmt::format(
        "# HELP jail_ai_jails Containers that are kept from this machine.\n# TYPE jail_ai_jails "
        "gauge\njail_ai_jails {}\n",
        jails.size());
    text +=
        "# HELP jail_ai_denials_total Denied attempts (in audit mode: that would have been), by "
        "reason.\n# TYPE jail_ai_denials_total counter\n";
    for (const JailSnapshot& jail : jails) {
        const std::string labels = labels_of(jail);
        for (std::size_t reason = 0; reason < jail.denials.size(); ++reason)
            text +=
                fmt::format("jail_ai_denials_total{{{},reason=\"{}\"}} {}\n", labels,
                            reason_name(static_cast<jail_reason>(reason)), jail.denials[reason]);
    }
    return text;
}

}  // namespace jail_ai
