// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/explain_arguments.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <charconv>
#include <vector>

#include "base/quote.h"
#include "commands/arguments.h"

namespace jail_ai {
namespace {

Error usage(std::string why) {
    return Error{EX_USAGE, std::move(why)};
}

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

Status set_annotation(Question& question, std::string_view written) {
    const std::size_t equals = written.find('=');
    if (equals == std::string_view::npos) return usage(fmt::format("--annotation {}: expected KEY=VALUE", quote(written)));
    const std::string key(written.substr(0, equals));
    if (!key.starts_with(kAnnotationPrefix))
        return usage(fmt::format("--annotation {}: the key doesn't begin with {}", quote(written), kAnnotationPrefix));
    question.annotations[key] = written.substr(equals + 1);
    return ok();
}

Status set_pid(Question& question, std::string_view written) {
    pid_t pid = 0;
    if (!parse_number(written, pid) || pid < 1 || pid > kMaxPid) return usage(fmt::format("--pid {}: this is no process", quote(written)));
    question.pid = pid;
    return ok();
}

Status set_destination(Question& question, std::string_view written) {
    if (question.destination) return usage(fmt::format("unexpected {}: one destination is explained at a time", quote(written)));
    question.destination = TRY(parse_asked_destination(written));
    return ok();
}

}  // namespace

Result<AskedDestination> parse_asked_destination(std::string_view text) {
    const auto wrong = [&](std::string_view why) { return usage(fmt::format("{}: {}", quote(text), why)); };
    std::string_view rest = text;
    std::uint8_t protocol = 0;
    if (rest.ends_with("/udp")) protocol = IPPROTO_UDP;
    if (rest.ends_with("/tcp")) protocol = IPPROTO_TCP;
    if (protocol != 0) rest.remove_suffix(4);
    std::string_view port;
    if (rest.starts_with('[')) {
        const std::size_t end = rest.find(']');
        if (end == std::string_view::npos) return wrong("']' is missing");
        port = rest.substr(end + 1);
        rest = rest.substr(1, end - 1);
        if (!port.empty() && port.front() != ':') return wrong("expected ':' and a port behind ']'");
    } else if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos && rest.find(':', colon + 1) == std::string_view::npos) {
        port = rest.substr(colon);
        rest = rest.substr(0, colon);
    }
    const auto address = IpPrefix::parse(rest);
    if (!address || !address->is_single()) return wrong("this is no address, which explain needs: names mean what a resolver says");
    AskedDestination destination{*address, protocol, 0, {}};
    if (!port.empty() && (!parse_number(port.substr(1), destination.port) || destination.port == 0)) return wrong("port out of range");
    if (port.empty() && protocol != 0) return wrong("a port is missing");
    if (!port.empty() && protocol == 0) destination.protocol = IPPROTO_TCP;
    destination.text = address->to_string();
    if (destination.port != 0)
        destination.text = fmt::format("{}:{}/{}", address->is_v4() ? destination.text : fmt::format("[{}]", destination.text), destination.port,
                                       destination.protocol == IPPROTO_UDP ? "udp" : "tcp");
    return destination;
}

Result<Question> parse_question(std::span<char* const> arguments) {
    Question question;
    std::vector<char*> settings;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        const std::string_view option = word.substr(0, word.find('='));
        if (word == "--json") {
            question.json = true;
            continue;
        }
        if (word == "--enforce" || word.empty()) {
            settings.push_back(arguments[i]);
            continue;
        }
        if (word.front() != '-') {
            TRY(set_destination(question, word));
            continue;
        }
        const bool has_value = option.size() != word.size();
        const bool ours = option == "--annotation" || option == "--pid" || option == "--container";
        if (!has_value && i + 1 == arguments.size()) return usage(fmt::format("{} needs a value", quote(word)));
        if (!ours) {
            settings.push_back(arguments[i]);
            if (!has_value) settings.push_back(arguments[++i]);
            continue;
        }
        const std::string_view value = has_value ? word.substr(option.size() + 1) : arguments[++i];
        if (option == "--container") {
            question.container = value;
            if (value.empty()) return usage("--container needs an ID or a name");
        }
        Status set = option == "--annotation" ? set_annotation(question, value) : option == "--pid" ? set_pid(question, value) : ok();
        if (!set) return std::move(set).error();
    }
    if (question.pid && !question.container.empty()) return usage("--pid and --container name two containers");
    auto parsed = TRY(parse_arguments(settings));
    question.defaults = std::move(parsed.defaults);
    return question;
}

}  // namespace jail_ai
