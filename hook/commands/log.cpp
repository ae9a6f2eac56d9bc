// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See log.h.
#include "commands/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/quoted.h"
#include "base/stop.h"
#include "commands/log_report.h"
#include "jail/events.h"
#include "jail/list.h"

namespace jail_ai {
namespace {

constexpr int kNewJailsMs = 100;         // a new jail's events wait in its buffer for that long
constexpr unsigned kRoundsPerCheck = 5;  // of that time, between looks for what was lost

struct Asked {
    bool follow = false;
    bool json = false;
    std::vector<std::string> containers;
};

Result<Asked> parse(std::span<char* const> words) {
    Asked asked;
    for (const std::string_view word : words) {
        if (word == "--follow")
            asked.follow = true;
        else if (word == "--json")
            asked.json = true;
        else if (word.empty() || word.front() == '-')
            return Error{EX_USAGE, fmt::format("unknown flag {}: log takes --follow, --json and containers", quoted(word))};
        else
            asked.containers.emplace_back(word);
    }
    return asked;
}

bool is_asked_for(std::string_view container, const Asked& asked) {
    return asked.containers.empty() || std::ranges::any_of(asked.containers, [&](const std::string& each) { return container.starts_with(each); });
}

std::string line_of(const LogEntry& entry, const Asked& asked) {
    return asked.json ? log_to_machines(entry) : log_to_people(entry);
}

// What to add to CLOCK_BOOTTIME for CLOCK_REALTIME.
std::uint64_t boot_time() {
    return nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME);
}

jail_event last_event(const Refusal& refusal) {
    jail_event event{refusal.what, refusal.seen.pid, refusal.seen.last, {}};
    std::ranges::copy(refusal.seen.comm, event.comm);
    return event;
}

Status show_remembered(const Asked& asked, const Print& print) {
    auto jails = list_jails();
    if (!jails) return std::move(jails).error();
    const auto id_of = [](const JailReport& jail) { return std::string_view(jail.about ? jail.about->container : ""); };
    for (const std::string& container : asked.containers)
        if (std::ranges::none_of(*jails, [&](const JailReport& jail) { return id_of(jail).starts_with(container); }))
            return Error{EX_NOINPUT, fmt::format("container {} has no jail on this machine", quoted(container))};
    const std::uint64_t boot = boot_time();
    std::vector<LogEntry> entries;
    for (const JailReport& jail : *jails) {
        if (!is_asked_for(id_of(jail), asked)) continue;
        const Mode mode = jail.about ? static_cast<Mode>(jail.about->mode) : Mode::enforce;
        for (const Refusal& refusal : jail.refusals)
            entries.push_back({refusal.seen.last + boot, id_of(jail), mode, last_event(refusal), refusal.seen.count});
    }
    std::ranges::sort(entries, {}, &LogEntry::real);
    std::string text;
    for (const LogEntry& entry : entries) text += line_of(entry, asked);
    print(text);
    return ok();
}

Status follow(const Asked& asked, const Print& print, const Warn& warn) {
    listen_for_stop();
    auto events = Events::open();
    if (!events) return std::move(events).error();
    std::string text;
    const auto add = [&](const Happened& happened) {
        if (is_asked_for(happened.container, asked))
            text += line_of({happened.event.when + boot_time(), happened.container, happened.mode, happened.event}, asked);
    };
    const auto tell_lost = [&](std::string_view container, std::uint64_t count) {
        if (is_asked_for(container, asked))
            warn(fmt::format("container {}: {} more refusals came faster than they could be read; status counts them", quoted(container), count));
    };
    std::uint64_t next_look = 0;
    unsigned rounds = 0;
    while (!stop_requested()) {
        pollfd ready{events->fd(), POLLIN, 0};
        if (::poll(&ready, 1, kNewJailsMs) < 0 && errno != EINTR) return system_error("wait for refusals", errno);
        if (auto taken = events->take(add); !taken) return taken;
        if (const std::uint64_t now = nanoseconds(CLOCK_MONOTONIC); now >= next_look) {
            next_look = now + std::uint64_t{kNewJailsMs} * 1'000'000;
            if (++rounds % kRoundsPerCheck == 0)
                if (auto told = events->tell_lost(tell_lost); !told) return told;
            if (auto kept_up = events->keep_up(add); !kept_up) return kept_up;
        }
        if (!text.empty() && !print(text)) return ok();
        text.clear();
    }
    if (auto taken = events->take(add); !taken) return taken;
    print(text);
    return events->tell_lost(tell_lost);
}

}  // namespace

Status log(std::span<char* const> words, const Print& print, const Warn& warn) {
    auto asked = parse(words);
    if (!asked) return std::move(asked).error();
    if (::geteuid() != 0) return Error{EX_NOPERM, "only root may look at BPF programs: run this as root"};
    return asked->follow ? follow(*asked, print, warn) : show_remembered(*asked, print);
}

}  // namespace jail_ai
