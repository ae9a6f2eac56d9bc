// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See request.h.
#include "container/request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <vector>

#include "base/quoted.h"

namespace jail_ai {

namespace {

constexpr std::array kRisks = {Risk::cap_net_admin, Risk::cap_bpf,       Risk::cap_sys_admin,    Risk::host_cgroups,
                               Risk::host_pid,      Risk::engine_socket, Risk::inherited_sockets};

Error bad_value(std::string_view key, std::string_view why) {
    return Error{EX_DATAERR, fmt::format("annotation {}: {}", key, why)};
}

Result<Mode> parse_mode(std::string_view value) {
    if (value == "true") return Mode::enforce;
    if (value == "false") return Mode::off;
    return bad_value(kBlockHost, fmt::format("{} is neither 'true' nor 'false'", quoted(value)));
}

Result<std::set<Risk>> parse_accept(std::string_view value) {
    std::set<Risk> accepted;
    constexpr std::string_view kSeparators = ", ";
    while (true) {
        value.remove_prefix(std::min(value.find_first_not_of(kSeparators), value.size()));
        if (value.empty()) break;
        const std::string_view word = value.substr(0, value.find_first_of(kSeparators));
        value.remove_prefix(word.size());
        const auto* risk = std::ranges::find(kRisks, word, risk_name);
        if (risk == kRisks.end()) {
            std::vector<std::string_view> known;
            std::ranges::transform(kRisks, std::back_inserter(known), risk_name);
            return bad_value(kAccept, fmt::format("{} is no risk; known are {}", quoted(word), fmt::join(known, ", ")));
        }
        accepted.insert(*risk);
    }
    if (accepted.empty()) return bad_value(kAccept, "names no risk");
    return accepted;
}

}  // namespace

std::string_view risk_name(Risk risk) {
    switch (risk) {
        case Risk::cap_net_admin: return "cap_net_admin";
        case Risk::cap_bpf: return "cap_bpf";
        case Risk::cap_sys_admin: return "cap_sys_admin";
        case Risk::host_cgroups: return "host-cgroups";
        case Risk::host_pid: return "host-pid";
        case Risk::engine_socket: return "engine-socket";
        case Risk::inherited_sockets: return "inherited-sockets";
    }
    return "unknown";
}

Result<Request> parse_request(const Annotations& annotations) {
    std::optional<Mode> mode;
    std::set<Risk> accepted;
    for (auto it = annotations.lower_bound(kAnnotationPrefix); it != annotations.end() && it->first.starts_with(kAnnotationPrefix); ++it) {
        const auto& [key, value] = *it;
        if (key == kBlockHost) {
            auto parsed = parse_mode(value);
            if (!parsed) return std::move(parsed).error();
            mode = *parsed;
        } else if (key == kAccept) {
            auto parsed = parse_accept(value);
            if (!parsed) return std::move(parsed).error();
            accepted = std::move(*parsed);
        } else {
            return Error{EX_DATAERR, fmt::format("unknown annotation {}; known are {} and {}", quoted(key), kBlockHost, kAccept)};
        }
    }
    if (!mode) return Error{EX_DATAERR, fmt::format("no annotation {}: say 'true' to block the host or 'false' not to", kBlockHost)};
    return Request{*mode, std::move(accepted)};
}

}  // namespace jail_ai
