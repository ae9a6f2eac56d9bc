// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/explain_arguments.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include "base/number.h"
#include "base/quote.h"

namespace jail_ai {
namespace {

Status set_annotation(Question& question, std::string_view written) {
    const std::size_t equals = written.find('=');
    if (equals == std::string_view::npos)
        return usage(fmt::format("--annotation {}: expected KEY=VALUE", quote(written)));
    const std::string key(written.substr(0, equals));
    if (!key.starts_with(kAnnotationPrefix))
        return usage(fmt::format("--annotation {}: the key doesn't begin with {}", quote(written),
                                 kAnnotationPrefix));
    question.annotations[key] = written.substr(equals + 1);
    return ok();
}

}  // namespace

Result<AskedDestination> parse_asked_destination(std::string_view text) {
    const auto wrong = [&](std::string_view why) {
        return usage(fmt::format("{}: {}", quote(text), why));
    };
    std::string_view rest = text;
    std::uint8_t protocol = 0;
    if (rest.ends_with("/udp")) protocol = IPPROTO_UDP;
    if (rest.ends_with("/tcp")) protocol = IPPROTO_TCP;
    if (protocol != 0) rest.remove_suffix(4);
    if (text.find("://") != std::string_view::npos)
        return wrong("a URL: expected ADDRESS[:PORT][/tcp|/udp], such as 10.88.0.1:8000");
    if (const std::size_t slash = rest.find('/');
        slash != std::string_view::npos &&
        rest.find_first_not_of("0123456789", slash + 1) != std::string_view::npos)
        return wrong(fmt::format("expected /tcp or /udp, got {}", quote(rest.substr(slash))));
    std::string_view port;
    if (rest.starts_with('[')) {
        const std::size_t end = rest.find(']');
        if (end == std::string_view::npos) return wrong("']' is missing");
        port = rest.substr(end + 1);
        rest = rest.substr(1, end - 1);
        if (!port.empty() && port.front() != ':')
            return wrong("expected ':' and a port behind ']'");
    } else if (const std::size_t colon = rest.find(':');
               colon != std::string_view::npos &&
               rest.find(':', colon + 1) == std::string_view::npos) {
        port = rest.substr(colon);
        rest = rest.substr(0, colon);
    }
    const auto address = IpPrefix::parse(rest);
    if (!address || !address->is_single())
        return wrong(
            "not an IP address: explain doesn't resolve host names; a container is "
            "--container=ID");
    AskedDestination destination{*address, protocol, 0, {}};
    if (!port.empty()) {
        destination.port = parse_number<std::uint16_t>(port.substr(1)).value_or(0);
        if (destination.port == 0) return wrong("expected a port from 1 to 65535");
    }
    if (port.empty() && protocol != 0) return wrong("a port is missing");
    if (!port.empty() && protocol == 0) destination.protocol = IPPROTO_TCP;
    destination.text = address->to_string();
    if (destination.port != 0)
        destination.text = fmt::format(
            "{}:{}/{}", address->is_v4() ? destination.text : fmt::format("[{}]", destination.text),
            destination.port, destination.protocol == IPPROTO_UDP ? "udp" : "tcp");
    return destination;
}

Result<Question> read_question(const Arguments& arguments) {
    Question question;
    question.defaults = arguments.defaults;
    question.json = arguments.has("--json");
    if (!arguments.words.empty())
        question.destination = TRY(parse_asked_destination(arguments.words.front()));
    for (const auto& [option, value] : arguments.options) {
        if (option == "--annotation") TRY(set_annotation(question, value));
        if (option == "--pid") question.pid = TRY(parse_pid(option, value));
        if (option == "--container") question.container = value;
    }
    return question;
}

}  // namespace jail_ai
