// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// This file joins settings; how they are written is in settings_grammar.cpp.
#include "container/request.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"

namespace jail_ai {
namespace {

// `who` asks: "the annotations".
Status check_floor(const Settings& floor, const Settings& asked, std::string_view who) {
    const auto loosens = [&](std::string_view what) {
        return Error{EX_DATAERR, fmt::format("{} loosen what is enforced on this machine: {}", who, what)};
    };
    if (floor.mode && asked.mode && *asked.mode < *floor.mode) return loosens("they ask for less than the block");
    if (asked.dns == Dns::automatic && floor.dns == Dns::off) return loosens("they open DNS");
    if (asked.on_failure == OnFailure::run) return loosens("they let the container run unprotected");
    for (const Exception& exception : asked.allow)
        if (std::ranges::find(floor.allow, exception) == floor.allow.end()) return loosens(fmt::format("they allow {}", quote(exception.text)));
    for (const Risk risk : asked.accepted)
        if (!floor.accepted.contains(risk)) return loosens(fmt::format("they accept {}", risk_name(risk)));
    return ok();
}

template <typename List>
List both(const List& first, const List& second) {
    List all = first;
    all.insert(all.end(), second.begin(), second.end());
    return all;
}

}  // namespace

std::string_view mode_name(Mode mode) {
    switch (mode) {
        case Mode::off: return "false";
        case Mode::audit: return "audit";
        case Mode::enforce: return "true";
    }
    return "unknown";
}

std::string_view risk_name(Risk risk) {
    switch (risk) {
        case Risk::cap_net_admin: return "cap_net_admin";
        case Risk::cap_bpf: return "cap_bpf";
        case Risk::cap_sys_admin: return "cap_sys_admin";
        case Risk::cap_dac_read_search: return "cap_dac_read_search";
        case Risk::cap_sys_module: return "cap_sys_module";
        case Risk::host_cgroups: return "host-cgroups";
        case Risk::host_pid: return "host-pid";
        case Risk::engine_socket: return "engine-socket";
        case Risk::inherited_sockets: return "inherited-sockets";
        case Risk::cap_net_raw: return "cap_net_raw";
        case Risk::vsock: return "vsock";
        case Risk::ia32: return "ia32";
        case Risk::abstract_unix: return "abstract-unix";
        case Risk::host_loopback: return "host-loopback";
    }
    return "unknown";
}

Result<Defaults> join_defaults(const Defaults& floor, const Defaults& asked) {
    if (floor.enforced) TRY(check_floor(floor.settings, asked.settings, "the hook's flags"));
    Defaults joined{asked.settings, floor.enforced || asked.enforced};
    Settings& settings = joined.settings;
    if (!settings.mode) settings.mode = floor.settings.mode;
    if (!settings.dns) settings.dns = floor.settings.dns;
    if (!settings.on_failure) settings.on_failure = floor.settings.on_failure;
    settings.allow = both(floor.settings.allow, asked.settings.allow);
    settings.also = both(floor.settings.also, asked.settings.also);
    settings.accepted.insert(floor.settings.accepted.begin(), floor.settings.accepted.end());
    return joined;
}

Result<Request> join_settings(const Defaults& defaults, const Settings& asked) {
    const Settings& floor = defaults.settings;
    if (defaults.enforced) TRY(check_floor(floor, asked, "the annotations"));
    const auto mode = asked.mode ? asked.mode : floor.mode;
    if (!mode) return Error{EX_DATAERR, fmt::format("no annotation {}: say 'true' to block the host or 'false' not to", kBlockHost)};
    Request request{*mode,
                    asked.dns.value_or(floor.dns.value_or(Dns::automatic)),
                    asked.on_failure.value_or(floor.on_failure.value_or(OnFailure::refuse)),
                    both(floor.allow, asked.allow),
                    both(floor.also, asked.also),
                    floor.accepted};
    request.accepted.insert(asked.accepted.begin(), asked.accepted.end());
    return request;
}

}  // namespace jail_ai
