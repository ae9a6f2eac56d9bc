// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the hook of a rootless engine, or a user who looks at their jails, and the broker say to
// each other, over one connection of a Unix stream socket. Pure.
//
// The hook says: a header of kHeaderBytes, with a pidfd of the container's process beside its first
// byte (SCM_RIGHTS, unix(7)), and then the parts, one behind the other. The header is the magic,
// then the length of each part as a 32-bit number in the machine's byte order. The broker answers
// with one line, "yes TEXT", "no CODE TEXT" or "never CODE TEXT", and closes. Every length is
// bounded before a byte of the part is read.
//
// Who wants to see their jails says the same with another magic, without a descriptor and with two
// parts, the others empty; a yes is then "yes LENGTH", and so many bytes of text follow.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

struct Message {
    std::vector<std::string> flags;  // what the hook was called with, as Arguments has it
    std::string state;               // JSON, as the runtime gave it
    std::string config;              // JSON, the bundle's config.json
    std::string hosts;               // the container's /etc/hosts …
    std::string resolv_conf;         // … and /etc/resolv.conf; empty if there is none
};

// What the engine of a user calls a container of theirs: a claim, for their own eyes.
struct ClaimedName {
    std::string id;
    std::string name;
    std::string cgroup;  // below the cgroup2 mount

    bool operator==(const ClaimedName&) const = default;
};

struct ShowRequest {
    std::vector<std::string> words;  // of the command line, from the verb on
    std::vector<ClaimedName> names;
};

enum Part { kFlags, kState, kConfig, kHosts, kResolvConf, kParts };

// How long each part may be, in bytes. JSON takes up to 20 times its length once it is parsed, text
// takes what it is.
inline constexpr std::array<std::uint32_t, kParts> kMaxPart = {16u << 10, 512u << 10, 1u << 20,
                                                               8u << 20, 64u << 10};
inline constexpr std::array<std::string_view, kParts> kPartNames = {"flags", "state", "config.json",
                                                                    "hosts file", "resolv.conf"};

using PartSizes = std::array<std::uint32_t, kParts>;

enum class Asks { to_jail, to_show };

inline constexpr std::string_view kJailMagic = "JAIL-AI1", kShowMagic = "SHOW-AI1";
inline constexpr std::size_t kHeaderBytes = kJailMagic.size() + sizeof(PartSizes);

// Header and parts. Error (EX_DATAERR): a part is longer than the broker takes.
Result<std::string> encode_message(const Message& message);
Result<std::string> encode_show(const ShowRequest& request);

struct Head {
    Asks asks;
    PartSizes sizes;
};

// Takes exactly kHeaderBytes. Errors: EX_PROTOCOL for bytes that are no header, EX_DATAERR for a
// part that is too long.
Result<Head> parse_header(std::string_view bytes);

std::size_t body_size(const PartSizes& sizes);

// Each takes exactly body_size() bytes. Errors: EX_PROTOCOL.
Result<Message> parse_body(const PartSizes& sizes, std::string_view body);
Result<ShowRequest> parse_show(const PartSizes& sizes, std::string_view body);

enum class ReplyStatus {
    yes,    // the container is jailed; or the text follows
    no,     // it isn't; the asking hook knows whether it may start unprotected
    never,  // it isn't, and the administrator of the machine wants no container to start
            // unprotected
};

struct Reply {
    ReplyStatus status;
    int exit_code;     // of sysexits.h; 0 with yes
    std::string text;  // one line
};

inline constexpr std::size_t kMaxReplyBytes = 4096;

// One line with its end. A text that is too long is cut.
std::string encode_reply(const Reply& answer);

// Takes what came until the connection was closed. Errors: EX_PROTOCOL for anything but one whole
// line.
Result<Reply> parse_reply(std::string_view bytes);

// How long a text may be that a user is shown, in bytes: 256 jails with all that they remember take
// a quarter of it.
inline constexpr std::size_t kMaxShownBytes = 32u << 20;

// The answer to a ShowRequest with the text behind it.
std::string encode_shown(std::string_view text);

// Takes what came until the connection was closed: the text, or the error of a no. Errors:
// EX_PROTOCOL for anything but a whole answer.
Result<std::string> parse_shown(std::string_view bytes);

}  // namespace jail_ai
