// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "seccomp/tighten.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>

#include "base/quote.h"
#include "container/json.h"
#include "container/json_part.h"
#include "seccomp/tighten_profile.h"

namespace jail_ai {
namespace {

constexpr std::array<std::string_view, 5> kCapabilitySets = {"bounding", "effective", "inheritable",
                                                             "permitted", "ambient"};

// Gives whether it was there.
Result<bool> remove_net_raw(const JsonPart& set, JsonEdits& edits) {
    std::vector<std::string> rest;
    const auto names = set.elements();
    for (const JsonPart& name : names) {
        if (!name.value().IsString())
            return Error{EX_DATAERR,
                         fmt::format("it holds {}, not a string", kind_of(name.value()))};
        if (::strcasecmp(std::string(string_of(name.value())).c_str(), "CAP_NET_RAW") != 0)
            rest.emplace_back(name.text());
    }
    if (rest.size() == names.size()) return false;
    edits.replace(set, json_array(rest));
    return true;
}

Status tighten_capabilities(const JsonPart& config, JsonEdits& edits, Tightened& outcome) {
    auto process = TRY(config.object("process"));
    if (!process) return ok();
    auto sets = TRY(process->object("capabilities").context("process"));
    if (!sets) return ok();
    bool removed = false;
    for (const std::string_view key : kCapabilitySets) {
        auto set = TRY(sets->array(key).context("process.capabilities"));
        if (!set) continue;
        auto had = remove_net_raw(*set, edits);
        if (!had)
            return std::move(had).error().context(fmt::format("process.capabilities.{}", key));
        removed = removed || *had;
    }
    if (removed) outcome.taken.emplace_back("CAP_NET_RAW");
    return ok();
}

Status tighten_families(const JsonPart& config, bool accepts_ia32, JsonEdits& edits,
                        Tightened& outcome) {
    auto linux_part = TRY(config.object("linux"));
    std::optional<JsonPart> seccomp;
    if (linux_part) {
        seccomp = TRY(linux_part->object("seccomp").context("linux"));
    }
    auto tight = seccomp ? tighten_profile(*seccomp, accepts_ia32) : new_profile(accepts_ia32);
    if (!tight && tight.error().exit_code == EX_CONFIG)
        return Error{
            EX_CONFIG,
            fmt::format("linux.seccomp: {}: simplify the profile, or leave it as it is: {}={}",
                        tight.error().message, kAccept, risk_name(Risk::vsock))};
    if (!tight) return std::move(tight).error().context("linux.seccomp");
    outcome.left_open.insert(outcome.left_open.end(), tight->left_open.begin(),
                             tight->left_open.end());
    if (tight->profile.empty() || (seccomp && seccomp->text() == tight->profile)) return ok();
    outcome.taken.emplace_back("sockets of other families than unix, inet, inet6, netlink and alg");
    if (seccomp)
        edits.replace(*seccomp, std::move(tight->profile));
    else if (linux_part)
        edits.set_member(*linux_part, "seccomp", std::move(tight->profile));
    else
        edits.set_member(config, "linux", fmt::format(R"({{"seccomp":{}}})", tight->profile));
    return ok();
}

}  // namespace

Result<Tightened> tighten(const rapidjson::Document& config, std::string_view text,
                          const std::set<Risk>& accepted) {
    Tightened outcome;
    JsonEdits edits(text);
    const JsonPart whole(config, text);
    if (accepted.contains(Risk::cap_net_raw))
        outcome.left_open.emplace_back("CAP_NET_RAW, as accepted by cap_net_raw");
    else
        TRY(tighten_capabilities(whole, edits, outcome));
    if (accepted.contains(Risk::vsock))
        outcome.left_open.emplace_back("vsock and every other socket family, as accepted by vsock");
    else
        TRY(tighten_families(whole, accepted.contains(Risk::ia32), edits, outcome));
    outcome.config = edits.apply();
    return outcome;
}

}  // namespace jail_ai
