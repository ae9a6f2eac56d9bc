// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/user_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace jail_ai {
namespace {

constexpr std::string_view kTcpForward = "--tcp-ns", kUdpForward = "--udp-ns",
                           kGateway = "--gateway", kMap = "--map-";
constexpr std::size_t kShortestOption =
    4;  // getopt_long(3) takes any abbreviation that is unambiguous
constexpr std::string_view kWithoutArgument =
    "dqfhe1";                           // pasta's short options; all others take one
constexpr std::uint8_t kSlirpHost = 2;  // the address in its network that is the host's

bool is_option(std::string_view name, std::string_view option) {
    return name.size() >= kShortestOption && option.starts_with(name);
}

void add_address(std::string_view text, UserNetwork& network) {
    const auto address = IpPrefix::parse(text);
    if (address && address->is_single()) network.mapped.push_back(*address);
}

// "auto", "all", or ranges, of which "~" leaves some out of all (passt(1)). More may stand around a
// range: an address, a device, another port.
bool is_every_port(std::string_view ranges) {
    bool names_ports = false;
    while (!ranges.empty()) {
        const std::string_view range = ranges.substr(0, ranges.find(','));
        ranges.remove_prefix(std::min(range.size() + 1, ranges.size()));
        const std::string_view ports =
            range.substr(range.rfind('/') == std::string_view::npos ? 0 : range.rfind('/') + 1);
        if (ports == "auto" || ports == "all") return true;
        names_ports = names_ports || (!ports.empty() && ports.front() != '~');
    }
    return !names_ports;
}

void add_forward(char option, std::string_view ranges, UserNetwork& network) {
    if (ranges == "none") return;
    network.forwards.push_back({fmt::format("-{} {}", option, ranges), is_every_port(ranges)});
}

void take_argument(std::string_view name, std::string_view argument, UserNetwork& network) {
    if (is_option(name, kTcpForward)) add_forward('T', argument, network);
    if (is_option(name, kUdpForward)) add_forward('U', argument, network);
    if (is_option(name, kGateway) || name.starts_with(kMap)) add_address(argument, network);
}

// "-qT4000": letters without an argument, and then one that takes the rest, or the next word.
std::string_view long_name(std::string_view& letters) {
    while (!letters.empty() && kWithoutArgument.find(letters.front()) != std::string_view::npos)
        letters.remove_prefix(1);
    if (letters.empty()) return {};
    const char letter = letters.front();
    letters.remove_prefix(1);
    switch (letter) {
        case 'T': return kTcpForward;
        case 'U': return kUdpForward;
        case 'g': return kGateway;
        default: letters = {}; return {};
    }
}

std::vector<std::string_view> split_list(std::string_view list) {
    std::vector<std::string_view> parts;
    while (!list.empty()) {
        parts.push_back(list.substr(0, list.find(',')));
        list.remove_prefix(std::min(parts.back().size() + 1, list.size()));
    }
    return parts;
}

bool forwards_by(const UserNetwork& network, char option) {
    return std::ranges::any_of(network.forwards, [&](const LoopbackForward& forward) {
        return forward.option[1] == option;
    });
}

}  // namespace

NetworkHelper helper_named(std::string_view comm) {
    if (comm == "slirp4netns") return NetworkHelper::slirp4netns;
    return comm == "pasta" || comm.starts_with("pasta.") || comm == "passt" ||
                   comm.starts_with("passt.")
               ? NetworkHelper::pasta
               : NetworkHelper::none;
}

std::vector<std::string_view> words_of(std::string_view command_line) {
    std::vector<std::string_view> words;
    while (!command_line.empty()) {
        words.push_back(command_line.substr(0, command_line.find('\0')));
        command_line.remove_prefix(std::min(words.back().size() + 1, command_line.size()));
    }
    return words;
}

void read_slirp_options(const std::vector<std::string_view>& options, UserNetwork& network) {
    for (std::size_t i = 0; i < options.size(); ++i) {
        std::string_view option = options[i];
        option.remove_prefix(std::min(option.find_first_not_of('-'), option.size()));
        const std::string_view name = option.substr(0, option.find('='));
        if (name.size() < 2 || !std::string_view("cidr").starts_with(name)) continue;
        const bool has_value = name.size() < option.size();
        const std::string_view cidr = has_value                ? option.substr(name.size() + 1)
                                      : i + 1 < options.size() ? options[i + 1]
                                                               : std::string_view();
        // Not a prefix: slirp4netns takes bits behind the length.
        const auto base = IpPrefix::parse(cidr.substr(0, cidr.find('/')));
        const std::string_view digits = cidr.substr(std::min(cidr.find('/'), cidr.size()));
        unsigned bits = 0;
        constexpr unsigned kMapped = 96;  // bits in front of an IPv4 address in a key
        if (digits.empty() ||
            std::from_chars(digits.data() + 1, digits.data() + digits.size(), bits).ec !=
                std::errc())
            continue;
        if (!base || !base->is_v4() || bits > 32) continue;
        jail_key host = base->widened(kMapped + bits).key();
        host.addr[sizeof host.addr - 1] =
            static_cast<std::uint8_t>(host.addr[sizeof host.addr - 1] + kSlirpHost);
        if (const auto address = IpPrefix::from_bytes(host.addr, 128))
            network.mapped.push_back(*address);
    }
}

void read_pasta_options(const std::vector<std::string_view>& options, UserNetwork& network) {
    for (std::size_t i = 0; i < options.size(); ++i) {
        std::string_view word = options[i], name, argument;
        if (word.starts_with("--")) {
            name = word.substr(0, word.find('='));
            argument = word.substr(std::min(name.size() + 1, word.size()));
        } else if (word.starts_with('-')) {
            argument = word.substr(1);
            name = long_name(argument);
        }
        if (argument.empty() && i + 1 < options.size()) argument = options[i + 1];
        if (!name.empty()) take_argument(name, argument, network);
    }
}

UserNetwork read_helper(NetworkHelper helper, std::string_view command_line) {
    UserNetwork network;
    std::vector<std::string_view> words = words_of(command_line);
    if (!words.empty()) words.erase(words.begin());
    if (helper == NetworkHelper::slirp4netns) read_slirp_options(words, network);
    if (helper != NetworkHelper::pasta) return network;
    read_pasta_options(words, network);
    // What is "none" is not among the forwards, so that the words are asked again.
    const auto says = [&](char letter, std::string_view option) {
        return std::ranges::any_of(words, [&](std::string_view word) {
            if (word.starts_with("--")) return is_option(word.substr(0, word.find('=')), option);
            std::string_view letters = word.starts_with('-') ? word.substr(1) : std::string_view();
            return long_name(letters) == option ||
                   (word.size() > 1 && word[0] == '-' && word[1] == letter);
        });
    };
    if (!forwards_by(network, 'T') && !says('T', kTcpForward))
        network.forwards.push_back({"-T auto", true});
    if (!forwards_by(network, 'U') && !says('U', kUdpForward))
        network.forwards.push_back({"-U auto", true});
    return network;
}

UserNetwork read_podman(std::string_view command_line) {
    UserNetwork network;
    for (std::string_view word : words_of(command_line)) {
        if (word.starts_with("--net"))
            word.remove_prefix(std::min(word.find('=') + 1, word.size()));
        constexpr std::string_view kSlirp = "slirp4netns:", kPasta = "pasta:";
        if (word.starts_with(kSlirp))
            read_slirp_options(split_list(word.substr(kSlirp.size())), network);
        if (word.starts_with(kPasta))
            read_pasta_options(split_list(word.substr(kPasta.size())), network);
    }
    return network;
}

bool carries(std::string_view command_line, std::string_view network_path) {
    // A container that joins another's network names a process of that one, and its helper names a
    // path that is in no file here: so it may be any.
    if (network_path.starts_with("/proc/")) return true;
    if (network_path.empty()) return false;
    return std::ranges::any_of(words_of(command_line), [&](std::string_view word) {
        return word == network_path ||
               (word.ends_with(network_path) && word.size() > network_path.size() &&
                word[word.size() - network_path.size() - 1] == '=');
    });
}

}  // namespace jail_ai
