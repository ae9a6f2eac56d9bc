// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Asking the kernel for a table over netlink. The dumps are small and of few message types, which
// is why this speaks by the UAPI macros; Debian ships no static libmnl, and the hook must link
// statically.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "base/deadline.h"
#include "base/result.h"
#include "system/netlink_reply.h"

namespace jail_ai {

// Sends the request with NLM_F_DUMP and hands each answer's payload and attributes to `each`.
// Errors: EX_OSERR if nothing can be asked.
template <typename Payload, typename Each>
Result<DumpEnd> dump_once(int fd, std::uint16_t type, const void* payload, std::size_t payload_size,
                          Each&& each) {
    struct {
        nlmsghdr header;
        std::array<std::uint8_t, 128> payload;
    } request{};
    request.header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(payload_size));
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    std::memcpy(request.payload.data(), payload, payload_size);
    if (::send(fd, &request, request.header.nlmsg_len, 0) < 0) return system_error("send", errno);

    bool consistent = true;
    alignas(nlmsghdr) std::array<char, 64u << 10> buffer;
    while (true) {
        const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_TRUNC);
        if (got < 0 && errno == EINTR && !deadline_passed()) continue;
        if (got < 0) return system_error("receive", errno);
        if (static_cast<std::size_t>(got) > buffer.size())
            return Error{EX_OSERR, "answer longer than the buffer"};
        const std::span<const char> answer(buffer.data(), static_cast<std::size_t>(got));
        if (const auto end = read_replies<Payload>(answer, consistent, each)) return *end;
    }
}

}  // namespace jail_ai
