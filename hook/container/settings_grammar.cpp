// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How settings are written.
//
//   block-host  = "true" | "audit" | "false"
//   dns         = "auto" | "off"
//   on-failure  = "refuse" | "run"
//   allow       = list of  DESTINATION ":" PORT [ "-" PORT ] [ "/tcp" | "/udp" ]
//                          DESTINATION = "host" | IPv4 [ "/" BITS ] | "[" IPv6 [ "/" BITS ] "]"
//   also        = list of  IPv4 [ "/" BITS ] | IPv6 [ "/" BITS ] | "private" | "link-local" | "gateway"
//   accept      = list of  names of risks
//   list        = words separated by commas or spaces, at least one. (podman 4.3 splits --annotation at commas: use spaces there.)
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "../bpf/abi.h"
#include "base/quote.h"
#include "container/request.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxWords = 256;  // of one list
constexpr std::array kRisks = {Risk::cap_net_admin, Risk::cap_bpf,  Risk::cap_sys_admin, Risk::cap_dac_read_search, Risk::cap_sys_module,
                               Risk::host_cgroups,  Risk::host_pid, Risk::engine_socket, Risk::inherited_sockets,   Risk::cap_net_raw,
                               Risk::vsock,         Risk::ia32,     Risk::abstract_unix, Risk::host_loopback};

// One word of a value, and where reading has got to.
class Word {
public:
    explicit Word(std::string_view text) : text_(text) {}

    std::string_view text() const { return text_; }
    std::string_view rest() const { return text_.substr(at_); }
    bool at_end() const { return at_ == text_.size(); }
    bool take(std::string_view literal) {
        if (!rest().starts_with(literal)) return false;
        at_ += literal.size();
        return true;
    }
    std::string_view take_until(char stop) {
        const std::string_view taken = rest().substr(0, rest().find(stop));
        at_ += taken.size();
        return taken;
    }
    std::string_view take_digits() {
        const std::string_view taken = rest().substr(0, std::min(rest().find_first_not_of("0123456789"), rest().size()));
        at_ += taken.size();
        return taken;
    }
    // The word, what is wrong with it, and at which character, counted from 1.
    Error error(std::string_view why, std::size_t at) const {
        return Error{EX_DATAERR, fmt::format("{}: {} (character {})", quote(text_), why, at + 1)};
    }
    Error error(std::string_view why) const { return error(why, at_); }
    std::size_t at() const { return at_; }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

template <typename Value>
struct Choice {
    std::string_view name;
    Value value;
};

template <typename Value, std::size_t size>
Result<Value> choose(std::string_view written, const std::array<Choice<Value>, size>& choices) {
    const auto chosen = std::ranges::find(choices, written, &Choice<Value>::name);
    if (chosen != choices.end()) return chosen->value;
    std::vector<std::string_view> names;
    std::ranges::transform(choices, std::back_inserter(names), &Choice<Value>::name);
    return Error{EX_DATAERR, fmt::format("{}: it is none of {}", quote(written), fmt::join(names, ", "))};
}

constexpr std::array kModes = std::to_array<Choice<Mode>>({{"true", Mode::enforce}, {"audit", Mode::audit}, {"false", Mode::off}});
constexpr std::array kDns = std::to_array<Choice<Dns>>({{"auto", Dns::automatic}, {"off", Dns::off}});
constexpr std::array kOnFailure = std::to_array<Choice<OnFailure>>({{"refuse", OnFailure::refuse}, {"run", OnFailure::run}});
constexpr std::array kSets =
    std::to_array<Choice<NamedSet>>({{"private", NamedSet::private_networks}, {"link-local", NamedSet::link_local}, {"gateway", NamedSet::gateway}});

Result<std::uint16_t> parse_port(Word& word) {
    const std::size_t at = word.at();
    const std::string_view digits = word.take_digits();
    if (digits.empty()) return word.error("a port number is missing", at);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || port < 1 || port > UINT16_MAX) return word.error("port out of range", at);
    return static_cast<std::uint16_t>(port);
}

Result<std::optional<IpPrefix>> parse_destination(Word& word) {
    if (word.take("host:")) return std::optional<IpPrefix>();
    const bool bracketed = word.take("[");
    const std::size_t at = word.at();
    const std::string_view address = word.take_until(bracketed ? ']' : ':');
    const auto prefix = IpPrefix::parse(address);
    const bool colons = address.find(':') != std::string_view::npos;
    if (!prefix || colons != bracketed)
        return word.error(
            bracketed ? "this is no IPv6 address or prefix" : "this is neither 'host' nor an IPv4 address or prefix, and IPv6 stands in brackets",
            at);
    if (bracketed && !word.take("]")) return word.error("']' is missing");
    if (!word.take(":")) return word.error("':' and a port are missing");
    return prefix;
}

Result<Exception> parse_exception(std::string_view text) {
    Word word(text);
    auto destination = TRY(parse_destination(word));
    auto first = TRY(parse_port(word));
    std::uint16_t last = first;
    if (word.take("-")) {
        const std::size_t at = word.at();
        auto second = TRY(parse_port(word));
        if (second < first) return word.error("the range ends before it begins", at);
        last = second;
    }
    std::uint8_t protocols = JAIL_PORTS_TCP;
    if (word.take("/udp"))
        protocols = JAIL_PORTS_UDP;
    else
        word.take("/tcp");
    if (!word.at_end()) return word.error("expected the end, '-', '/tcp' or '/udp'");
    return Exception{destination, first, last, protocols, std::string(text)};
}

Result<Addition> parse_addition(std::string_view text) {
    if (const auto set = choose(text, kSets)) return Addition{*set, std::string(text)};
    if (const auto prefix = IpPrefix::parse(text)) return Addition{*prefix, std::string(text)};
    return Word(text).error("this is neither an address or prefix nor one of private, link-local, gateway");
}

Result<Risk> parse_risk(std::string_view text) {
    const auto* risk = std::ranges::find(kRisks, text, risk_name);
    if (risk != kRisks.end()) return *risk;
    std::vector<std::string_view> known;
    std::ranges::transform(kRisks, std::back_inserter(known), risk_name);
    return Error{EX_DATAERR, fmt::format("{}: it is none of {}", quote(text), fmt::join(known, ", "))};
}

template <typename Each>
Status for_each_word(std::string_view list, Each&& each) {
    constexpr std::string_view kSeparators = ", ";
    std::size_t words = 0;
    while (true) {
        list.remove_prefix(std::min(list.find_first_not_of(kSeparators), list.size()));
        if (list.empty()) break;
        const std::string_view word = list.substr(0, list.find_first_of(kSeparators));
        if (++words > kMaxWords) return Error{EX_DATAERR, fmt::format("more than {} words", kMaxWords)};
        TRY(each(word));
        list.remove_prefix(word.size());
    }
    if (words == 0) return Error{EX_DATAERR, "it names nothing"};
    return ok();
}

// Stores a parsed value by way of `store`.
template <typename Value, typename Store>
Status keep(Result<Value> value, Store&& store) {
    if (!value) return std::move(value).error();
    store(std::move(*value));
    return ok();
}

std::optional<Status> parse_setting(std::string_view name, std::string_view value, Settings& into) {
    if (name == "block-host") return keep(choose(value, kModes), [&](Mode mode) { into.mode = mode; });
    if (name == "dns") return keep(choose(value, kDns), [&](Dns dns) { into.dns = dns; });
    if (name == "on-failure") return keep(choose(value, kOnFailure), [&](OnFailure on_failure) { into.on_failure = on_failure; });
    if (name == "allow")
        return for_each_word(value, [&](std::string_view word) {
            return keep(parse_exception(word), [&](Exception&& one) { into.allow.push_back(std::move(one)); });
        });
    if (name == "also")
        return for_each_word(
            value, [&](std::string_view word) { return keep(parse_addition(word), [&](Addition&& one) { into.also.push_back(std::move(one)); }); });
    if (name == "accept")
        return for_each_word(value, [&](std::string_view word) { return keep(parse_risk(word), [&](Risk one) { into.accepted.insert(one); }); });
    return std::nullopt;
}

// The setting that an annotation's or a flag's key names; nothing for any other key.
std::optional<std::string_view> setting_name(std::string_view key) {
    constexpr std::string_view kFlag = "--";
    if (key == kBlockHost) return "block-host";
    if (key.starts_with(kBlockHost) && key.substr(kBlockHost.size()).starts_with('.')) {
        const std::string_view name = key.substr(kBlockHost.size() + 1);
        if (name != "block-host") return name;
    }
    if (key.starts_with(kFlag)) return key.substr(kFlag.size());
    return std::nullopt;
}

constexpr std::array<std::string_view, 6> kSettings = {"block-host", "allow", "also", "dns", "on-failure", "accept"};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A key without what people get wrong in it: letters and digits alone, in lower case.
std::string simplified(std::string_view key) {
    std::string simple;
    for (const char c : key) {
        if (is_letter(c)) simple += static_cast<char>(c | 0x20);
        if (c >= '0' && c <= '9') simple += c;
    }
    return simple;
}

// "jail-ai" without a setting behind it, which only counts as the absence of one.
bool is_bare_name(std::string_view key) {
    return is_letter(key.back()) && simplified(key) == simplified(kAnnotationPrefix);
}

// The key that an annotation's seems to stand for; empty where none is near.
std::string nearest_key(std::string_view key) {
    for (const std::string_view setting : kSettings) {
        const std::string right = setting == kSettings.front() ? std::string(kBlockHost) : fmt::format("{}.{}", kBlockHost, setting);
        if (simplified(right) == simplified(key)) return right;
    }
    return {};
}

Error unknown_key(std::string_view key) {
    if (key.starts_with("--"))
        return {EX_DATAERR, fmt::format("unknown option {}; known are block-host and allow, also, dns, on-failure, accept", quote(key))};
    if (const std::string nearest = nearest_key(key); !nearest.empty())
        return {EX_DATAERR, fmt::format("unknown annotation {}: write {}", quote(key), nearest)};
    return {EX_DATAERR, fmt::format("unknown annotation {}; known are {} and, behind that and a dot, allow, also, dns, on-failure, accept",
                                    quote(key), kBlockHost)};
}

}  // namespace

Result<Settings> parse_settings(const std::vector<Written>& written) {
    Settings settings;
    for (const auto& [key, value] : written) {
        const auto name = setting_name(key);
        auto parsed = name ? parse_setting(*name, value, settings) : std::nullopt;
        if (!parsed) return unknown_key(key);
        if (!*parsed) return std::move(*parsed).error().context(key);
    }
    return settings;
}

bool is_meant_for_hook(std::string_view key) {
    constexpr std::string_view kSeparators = "-_. ";
    const auto take = [&](std::string_view word) {
        const bool is_there = simplified(key.substr(0, word.size())) == word;
        if (is_there) key.remove_prefix(word.size());
        return is_there;
    };
    if (!take("jail")) return false;
    if (!key.empty() && kSeparators.find(key.front()) != std::string_view::npos) key.remove_prefix(1);
    if (!take("ai")) return false;
    return key.empty() || !is_letter(key.front()) || take("block");
}

Result<Settings> parse_annotations(const Annotations& annotations) {
    std::vector<Written> written;
    for (const auto& [key, value] : annotations)
        if (is_meant_for_hook(key) && !is_bare_name(key)) written.emplace_back(key, value);
    return parse_settings(written);
}

}  // namespace jail_ai
