// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See status.h.
#include "commands/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/quoted.h"
#include "commands/status_report.h"

namespace jail_ai {
namespace {

enum class Form { people, machines, prometheus };

struct Asked {
    Form form = Form::people;
    std::vector<std::string> containers;
};

Result<Asked> parse(std::span<char* const> words) {
    Asked asked;
    for (const std::string_view word : words) {
        if (word == "--json")
            asked.form = Form::machines;
        else if (word == "--prometheus")
            asked.form = Form::prometheus;
        else if (word.empty() || word.front() == '-')
            return Error{EX_USAGE, fmt::format("unknown flag {}: status takes --json, --prometheus and containers", quoted(word))};
        else
            asked.containers.emplace_back(word);
    }
    return asked;
}

bool is_of(const JailReport& jail, std::string_view container) {
    return jail.about && std::string_view(jail.about->container).starts_with(container);
}

Status select(std::vector<JailReport>& jails, const std::vector<std::string>& containers) {
    for (const std::string& container : containers)
        if (std::ranges::none_of(jails, [&](const JailReport& jail) { return is_of(jail, container); }))
            return Error{EX_NOINPUT, fmt::format("container {} has no jail on this machine", quoted(container))};
    if (containers.empty()) return ok();
    std::erase_if(jails, [&](const JailReport& jail) {
        return std::ranges::none_of(containers, [&](const std::string& container) { return is_of(jail, container); });
    });
    return ok();
}

}  // namespace

Result<std::string> status(std::span<char* const> words) {
    auto asked = parse(words);
    if (!asked) return std::move(asked).error();
    if (::geteuid() != 0) return Error{EX_NOPERM, "only root may look at BPF programs: run this as root"};
    auto jails = list_jails();
    if (!jails) return std::move(jails).error();
    if (auto selected = select(*jails, asked->containers); !selected) return std::move(selected).error();
    const Now now{nanoseconds(CLOCK_BOOTTIME), nanoseconds(CLOCK_REALTIME)};
    switch (asked->form) {
        case Form::people: break;
        case Form::machines: return status_to_machines(*jails, now);
        case Form::prometheus: return status_to_prometheus(*jails);
    }
    return status_to_people(*jails, now);
}

}  // namespace jail_ai
