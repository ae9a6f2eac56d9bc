// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What comes over netlink, taken apart. No length in it is believed.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace jail_ai {

struct Attributes {
    std::array<std::span<const std::uint8_t>, 32> by_type{};

    const std::span<const std::uint8_t>& operator[](std::size_t type) const {
        return by_type[type];
    }
    std::uint32_t number(std::size_t type, std::uint32_t otherwise) const {
        std::uint32_t value = otherwise;
        if (by_type[type].size() == sizeof value)
            std::memcpy(&value, by_type[type].data(), sizeof value);
        return value;
    }
};

inline Attributes read_attributes(const void* first, std::size_t size) {
    Attributes attributes;
    const auto* bytes = static_cast<const std::uint8_t*>(first);
    while (size >= sizeof(rtattr)) {
        rtattr header;
        std::memcpy(&header, bytes, sizeof header);
        if (header.rta_len < sizeof header || header.rta_len > size) break;
        const std::size_t type = header.rta_type & NLA_TYPE_MASK;
        if (type < attributes.by_type.size())
            attributes.by_type[type] = {bytes + RTA_LENGTH(0), header.rta_len - RTA_LENGTH(0)};
        const std::size_t step = std::min<std::size_t>(RTA_ALIGN(header.rta_len), size);
        bytes += step;
        size -= step;
    }
    return attributes;
}

inline const char* payload_of(const nlmsghdr* message) {
    return reinterpret_cast<const char*>(message) + NLMSG_HDRLEN;
}

inline const nlmsghdr* next_message(const nlmsghdr* message, std::size_t& left) {
    const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(message->nlmsg_len), left);
    left -= step;
    return reinterpret_cast<const nlmsghdr*>(reinterpret_cast<const char*>(message) + step);
}

struct DumpEnd {
    int error;        // the errno that the kernel ends with; 0 for none
    bool consistent;  // false: what was dumped changed meanwhile, and must be asked for again
};

// Hands each answer's payload and attributes to `each`. `bytes` is one datagram of the dump,
// aligned as an nlmsghdr. Nothing as long as more is to come; `consistent` is what held before, and
// holds now.
template <typename Payload, typename Each>
std::optional<DumpEnd> read_replies(std::span<const char> bytes, bool& consistent, Each&& each) {
    std::size_t left = bytes.size();
    const nlmsghdr* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
    for (; left >= sizeof *message && message->nlmsg_len >= sizeof *message &&
           message->nlmsg_len <= left;
         message = next_message(message, left)) {
        if (message->nlmsg_flags & NLM_F_DUMP_INTR) consistent = false;
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
            // Both begin with an int: zero or a negative errno.
            int error = 0;
            if (message->nlmsg_len >= NLMSG_LENGTH(sizeof error))
                std::memcpy(&error, payload_of(message), sizeof error);
            return DumpEnd{-error, consistent};
        }
        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(Payload))) continue;
        Payload body;
        std::memcpy(&body, payload_of(message), sizeof body);
        const std::size_t used = NLMSG_LENGTH(NLMSG_ALIGN(sizeof body));
        each(body,
             read_attributes(reinterpret_cast<const char*>(message) + used,
                             message->nlmsg_len - std::min<std::size_t>(used, message->nlmsg_len)));
    }
    return std::nullopt;
}

}  // namespace jail_ai
