// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <numeric>

#include "base/number.h"
#include "base/quote.h"

namespace jail_ai {
namespace {

constexpr int kMaxExitCode = 255;

// Each word ends in a NUL, which no word of a command line holds.
std::string join_words(const std::vector<std::string>& words) {
    std::string joined;
    for (const std::string& word : words) joined.append(word).push_back('\0');
    return joined;
}

Result<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> words;
    if (!text.empty() && text.back() != '\0') return Error{EX_PROTOCOL, "the last flag has no end"};
    while (!text.empty()) {
        const std::size_t end = text.find('\0');
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return words;
}

Error too_long(std::size_t part, std::size_t size) {
    return Error{EX_DATAERR, fmt::format("the {} has {} bytes, the broker takes {}",
                                         kPartNames[part], size, kMaxPart[part])};
}

using Parts = std::array<std::string_view, kParts>;

Result<std::string> encode(std::string_view magic, const Parts& parts) {
    PartSizes sizes{};
    for (std::size_t part = 0; part < kParts; ++part) {
        if (parts[part].size() > kMaxPart[part]) return too_long(part, parts[part].size());
        sizes[part] = static_cast<std::uint32_t>(parts[part].size());
    }
    std::string bytes(magic);
    bytes.append(reinterpret_cast<const char*>(sizes.data()), sizeof sizes);
    for (const std::string_view part : parts) bytes.append(part);
    return bytes;
}

Result<Parts> split_parts(const PartSizes& sizes, std::string_view body) {
    if (body.size() != body_size(sizes))
        return Error{EX_PROTOCOL, fmt::format("{} bytes of {}", body.size(), body_size(sizes))};
    Parts parts;
    for (std::size_t part = 0; part < kParts; ++part) {
        parts[part] = body.substr(0, sizes[part]);
        body.remove_prefix(sizes[part]);
    }
    return parts;
}

}  // namespace

Result<std::string> encode_message(const Message& message) {
    return encode(kJailMagic, {join_words(message.flags), message.state, message.config,
                               message.hosts, message.resolv_conf});
}

Result<std::string> encode_show(const ShowRequest& request) {
    std::vector<std::string> names;
    for (const auto& [id, name, cgroup] : request.names)
        names.insert(names.end(), {id, name, cgroup});
    return encode(kShowMagic, {join_words(request.words), join_words(names)});
}

Result<Head> parse_header(std::string_view bytes) {
    const bool to_show = bytes.starts_with(kShowMagic);
    if (bytes.size() != kHeaderBytes || !(to_show || bytes.starts_with(kJailMagic)))
        return Error{EX_PROTOCOL,
                     "this is not a request of this version's hook: are hook and broker of one "
                     "installation?"};
    Head head{to_show ? Asks::to_show : Asks::to_jail, {}};
    std::memcpy(head.sizes.data(), bytes.data() + kJailMagic.size(), sizeof head.sizes);
    for (std::size_t part = 0; part < kParts; ++part)
        if (head.sizes[part] > kMaxPart[part]) return too_long(part, head.sizes[part]);
    return head;
}

std::size_t body_size(const PartSizes& sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

Result<Message> parse_body(const PartSizes& sizes, std::string_view body) {
    const auto parts = TRY(split_parts(sizes, body));
    auto flags = TRY(split_words(parts[kFlags]));
    return Message{std::move(flags), std::string(parts[kState]), std::string(parts[kConfig]),
                   std::string(parts[kHosts]), std::string(parts[kResolvConf])};
}

Result<ShowRequest> parse_show(const PartSizes& sizes, std::string_view body) {
    const auto parts = TRY(split_parts(sizes, body));
    auto words = TRY(split_words(parts[kFlags]));
    const auto names = TRY(split_words(parts[kState]));
    if (words.empty() || names.size() % 3 != 0 ||
        body.size() != parts[kFlags].size() + parts[kState].size())
        return Error{EX_PROTOCOL, "this is not a request to show jails"};
    ShowRequest request{std::move(words), {}};
    for (std::size_t at = 0; at < names.size(); at += 3)
        request.names.push_back({names[at], names[at + 1], names[at + 2]});
    return request;
}

std::string encode_reply(const Reply& answer) {
    std::string line =
        answer.status == ReplyStatus::yes
            ? "yes "
            : fmt::format("{} {} ", answer.status == ReplyStatus::no ? "no" : "never",
                          answer.exit_code);
    for (const char c : std::string_view(answer.text).substr(0, kMaxReplyBytes - line.size() - 1))
        line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    return line + '\n';
}

Result<Reply> parse_reply(std::string_view bytes) {
    if (bytes.empty())
        return Error{EX_PROTOCOL, "the broker closed the connection without an answer"};
    const Error malformed{EX_PROTOCOL,
                          fmt::format("malformed reply from the broker: {}", quote(bytes, 64))};
    if (bytes.size() > kMaxReplyBytes || bytes.find('\n') != bytes.size() - 1) return malformed;
    bytes.remove_suffix(1);
    const std::string_view word = bytes.substr(0, bytes.find(' '));
    if (word.size() == bytes.size()) return malformed;
    bytes.remove_prefix(word.size() + 1);
    if (word == "yes") return Reply{ReplyStatus::yes, 0, std::string(bytes)};
    if (word != "no" && word != "never") return malformed;
    int code = 0;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), code);
    const auto digits = static_cast<std::size_t>(end - bytes.data());
    if (error != std::errc() || code < 1 || code > kMaxExitCode || digits >= bytes.size() ||
        bytes[digits] != ' ')
        return malformed;
    return Reply{word == "no" ? ReplyStatus::no : ReplyStatus::never, code,
                 std::string(bytes.substr(digits + 1))};
}

std::string encode_shown(std::string_view text) {
    return encode_reply({ReplyStatus::yes, 0, std::to_string(text.size())}).append(text);
}

Result<std::string> parse_shown(std::string_view bytes) {
    const std::string_view line = bytes.substr(0, bytes.find('\n') + 1);
    auto reply = TRY(parse_reply(line.empty() ? bytes : line));
    if (reply.status != ReplyStatus::yes)
        return Error{reply.exit_code, reply.text.empty() ? "the broker rejects without a reason"
                                                         : printable(reply.text)};
    bytes.remove_prefix(line.size());
    if (parse_number<std::size_t>(reply.text) != bytes.size())
        return Error{EX_PROTOCOL, "the broker's answer was cut short"};
    return std::string(bytes);
}

}  // namespace jail_ai
