// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/setting_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/quote.h"
#include "bpf/abi.h"
#include "container/also_sets.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxWords = 256;  // of one list

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
        const std::string_view taken =
            rest().substr(0, std::min(rest().find_first_not_of("0123456789"), rest().size()));
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

Result<std::uint16_t> parse_port(Word& word) {
    const std::size_t at = word.at();
    const std::string_view digits = word.take_digits();
    if (digits.empty()) return word.error("a port number is missing", at);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || port < 1 || port > UINT16_MAX)
        return word.error("expected a port from 1 to 65535", at);
    return static_cast<std::uint16_t>(port);
}

Result<std::optional<IpPrefix>> parse_destination(Word& word) {
    if (word.take("host:")) return std::optional<IpPrefix>();
    const bool bracketed = word.take("[");
    const std::size_t at = word.at();
    const std::string_view address = word.take_until(bracketed ? ']' : ':');
    const auto prefix = IpPrefix::parse(address);
    const bool colons = address.find(':') != std::string_view::npos;
    if (!bracketed && !colons && word.at_end())
        return word.error("expected DESTINATION:PORT, such as host:11434");
    if (!prefix || colons != bracketed)
        return word.error(bracketed ? "not an IPv6 address or prefix"
                                    : "expected 'host', an IPv4 address or prefix, or an IPv6 one "
                                      "in brackets",
                          at);
    if (bracketed && !word.take("]")) return word.error("']' is missing");
    if (!word.take(":")) return word.error("':' and a port are missing");
    return prefix;
}

}  // namespace

Result<AllowRule> parse_exception(std::string_view text) {
    Word word(text);
    auto destination = TRY(parse_destination(word));
    auto first = TRY(parse_port(word));
    std::uint16_t last = first;
    if (word.take("-")) {
        const std::size_t at = word.at();
        auto second = TRY(parse_port(word));
        if (second < first) return word.error("port range ends below its start", at);
        last = second;
    }
    std::uint8_t protocols = JAIL_PORTS_TCP;
    if (word.take("/udp"))
        protocols = JAIL_PORTS_UDP;
    else
        word.take("/tcp");
    if (!word.at_end()) return word.error("expected the end, '-', '/tcp' or '/udp'");
    return AllowRule{destination, first, last, protocols, std::string(text)};
}

Result<ExtraBlock> parse_addition(std::string_view text) {
    if (const auto* set = find_named(kAlsoSets, text))
        return ExtraBlock{set->value, std::string(text)};
    if (const auto prefix = IpPrefix::parse(text)) return ExtraBlock{*prefix, std::string(text)};
    return Word(text).error(fmt::format("expected an address, a prefix, or one of {}",
                                        fmt::join(names_of(kAlsoSets), ", ")));
}

Status for_each_word(std::string_view list, const std::function<Status(std::string_view)>& each) {
    constexpr std::string_view kSeparators = ", ";
    std::size_t words = 0;
    while (true) {
        list.remove_prefix(std::min(list.find_first_not_of(kSeparators), list.size()));
        if (list.empty()) break;
        const std::string_view word = list.substr(0, list.find_first_of(kSeparators));
        if (++words > kMaxWords)
            return Error{EX_DATAERR, fmt::format("more than {} words", kMaxWords)};
        TRY(each(word));
        list.remove_prefix(word.size());
    }
    if (words == 0) return Error{EX_DATAERR, "empty list"};
    return ok();
}

Error none_of(std::string_view word, const std::vector<std::string_view>& names) {
    return {EX_DATAERR, fmt::format("{}: expected one of {}", quote(word), fmt::join(names, ", "))};
}

}  // namespace jail_ai
