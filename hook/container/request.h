// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is asked of the hook for one container: by its annotations, within what the administrator's
// flags say.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/ip_prefix.h"
#include "base/named.h"
#include "base/result.h"
#include "container/also_sets.h"
#include "container/risk.h"
#include "container/state.h"

namespace jail_ai {

inline constexpr std::string_view kAnnotationPrefix = "jail-ai.";
inline constexpr std::string_view kBlockHost = "jail-ai.block-host";
inline constexpr std::string_view kAllowPorts = "jail-ai.block-host.allow";
inline constexpr std::string_view kAccept = "jail-ai.block-host.accept";

// Values of settings, and the words that they are written by. The first is the
// default.
enum class Mode { off, audit, enforce };  // from loose to tight
inline constexpr std::array kModes = std::to_array<Named<Mode>>(
    {{Mode::enforce, "true"}, {Mode::audit, "audit"}, {Mode::off, "false"}});
static_assert(names_each(kModes, Mode::enforce));

constexpr std::string_view mode_name(Mode mode) {
    return name_of(kModes, mode);
}

enum class Dns { automatic, off };
inline constexpr std::array kDns =
    std::to_array<Named<Dns>>({{Dns::automatic, "auto"}, {Dns::off, "off"}});
static_assert(names_each(kDns, Dns::off));

enum class OnFailure { refuse, run };
inline constexpr std::array kOnFailure =
    std::to_array<Named<OnFailure>>({{OnFailure::refuse, "refuse"}, {OnFailure::run, "run"}});
static_assert(names_each(kOnFailure, OnFailure::run));

// What a denied connect or sendto fails with.
enum class DenialError { eperm, econnrefused, ehostunreach };
inline constexpr std::array kDenialErrors =
    std::to_array<Named<DenialError>>({{DenialError::eperm, "EPERM"},
                                       {DenialError::econnrefused, "ECONNREFUSED"},
                                       {DenialError::ehostunreach, "EHOSTUNREACH"}});
static_assert(names_each(kDenialErrors, DenialError::ehostunreach));

constexpr int errno_of(DenialError error) {
    switch (error) {
        case DenialError::eperm: break;
        case DenialError::econnrefused: return ECONNREFUSED;
        case DenialError::ehostunreach: return EHOSTUNREACH;
    }
    return EPERM;
}

// Does the container get a text about its jail (container/notice.h)?
enum class Notice { given, off };
inline constexpr std::array kNotices =
    std::to_array<Named<Notice>>({{Notice::given, "true"}, {Notice::off, "false"}});
static_assert(names_each(kNotices, Notice::off));

// Ports that are allowed although their destination is denied.
struct AllowRule {
    std::optional<IpPrefix> destination;  // nothing: every address of the host
    std::uint16_t first;                  // 1 to 65535, host byte order
    std::uint16_t last;                   // not below first
    std::uint8_t protocols;               // JAIL_PORTS_*, one of them
    std::string text;                     // as it was written, for people

    bool operator==(const AllowRule&) const = default;
};

// More to deny.
struct ExtraBlock {
    std::variant<IpPrefix, NamedSet> what;
    std::string text;

    bool operator==(const ExtraBlock&) const = default;
};

// Each setting, a row of the table in settings.cpp. A source says some of them, lists aside, and a
// request all: `Said` says which.
template <template <typename> typename Said>
struct SettingsOf {
    Said<Mode> mode{};
    Said<Dns> dns{};
    Said<OnFailure> on_failure{};
    std::vector<AllowRule> allow{};
    std::vector<ExtraBlock> also{};
    std::set<Risk> accepted{};
    Said<DenialError> denial_error{};
    Said<Notice> notice{};
};

using Settings = SettingsOf<std::optional>;  // what one source says; an empty member says nothing
using Request = SettingsOf<std::type_identity_t>;  // what is asked for one container

// A setting's key, as it is written there (an annotation, a flag, or the name by itself), and its
// value.
using RawSetting = std::pair<std::string, std::string>;

// Reads settings. Lists are separated by comma or space. Errors (EX_DATAERR): "KEY: 'WORD': what is
// wrong (character N)".
Result<Settings> parse_settings(const std::vector<RawSetting>& written);

// True for a key that the hook must not pass over: one that starts with "jail-ai.", and one that is
// nearly that, as "Jail-AI.block-host", "jail_ai.block-host", "jail-ai-block-host" or
// "jailai/block-host".
bool is_meant_for_hook(std::string_view key);

// The settings among annotations. Fails for a key that is meant for the hook and isn't that of a
// setting, naming the right one where that can be known.
Result<Settings> parse_annotations(const Annotations& annotations);

// The administrator's settings, which every container starts from.
struct Defaults {
    Settings settings;
    bool enforced = false;  // annotations may tighten them and never loosen
};

// Errors (EX_DATAERR): they are enforced, and there is nothing to enforce, or a way around it.
Status check_enforced(const Defaults& defaults);

// True if containers that ask for nothing are jailed, too.
inline bool jails_unasked(const Defaults& defaults) {
    return defaults.settings.mode.value_or(Mode::off) != Mode::off;
}

// Joins both: an annotation overrides, lists add up. Errors (EX_DATAERR): an annotation that
// loosens enforced defaults; neither source says whether to block. The hook was called for some
// reason, and a guess that there is nothing to do would leave the host open.
Result<Request> join_settings(const Defaults& defaults, const Settings& asked);

// The same for a container that an administrator has named: if neither source says whether to
// block, it is jailed. Errors: also as parse_annotations().
Result<Request> join_or_block(const Defaults& defaults, const Annotations& annotations);

// Joins what two administrators say, as if the second were an annotation to the first: the
// machine's, in the broker's unit, and what the hook was called with, which a user can write.
// Enforced is what either enforces. Errors (EX_DATAERR): the second loosens what the first
// enforces.
Result<Defaults> join_defaults(const Defaults& floor, const Defaults& asked);

}  // namespace jail_ai
