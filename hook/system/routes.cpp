// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See routes.h. The dumps are small and need four message types, which is why this speaks rtnetlink by the UAPI macros; Debian ships no
// static libmnl, and the hook must link statically.
#include "system/routes.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "base/deadline.h"
#include "base/unique_fd.h"

namespace jail_ai {
namespace {

constexpr int kDumpTries = 8;  // a dump that the kernel marks as interrupted is inconsistent and is made again

struct Attributes {
    std::array<std::span<const std::uint8_t>, 32> by_type{};

    const std::span<const std::uint8_t>& operator[](std::size_t type) const { return by_type[type]; }
    std::uint32_t number(std::size_t type, std::uint32_t otherwise) const {
        std::uint32_t value = otherwise;
        if (by_type[type].size() == sizeof value) std::memcpy(&value, by_type[type].data(), sizeof value);
        return value;
    }
};

Attributes read_attributes(const void* first, std::size_t size) {
    Attributes attributes;
    const auto* bytes = static_cast<const std::uint8_t*>(first);
    while (size >= sizeof(rtattr)) {
        rtattr header;
        std::memcpy(&header, bytes, sizeof header);
        if (header.rta_len < sizeof header || header.rta_len > size) break;
        const std::size_t type = header.rta_type & NLA_TYPE_MASK;
        if (type < attributes.by_type.size()) attributes.by_type[type] = {bytes + RTA_LENGTH(0), header.rta_len - RTA_LENGTH(0)};
        const std::size_t step = std::min<std::size_t>(RTA_ALIGN(header.rta_len), size);
        bytes += step;
        size -= step;
    }
    return attributes;
}

const char* payload_of(const nlmsghdr* message) {
    return reinterpret_cast<const char*>(message) + NLMSG_HDRLEN;
}

const nlmsghdr* next_message(const nlmsghdr* message, std::size_t& left) {
    const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(message->nlmsg_len), left);
    left -= step;
    return reinterpret_cast<const nlmsghdr*>(reinterpret_cast<const char*>(message) + step);
}

// Sends the request with NLM_F_DUMP and hands each answer's payload to `each`. False when the dump was interrupted.
template <typename Payload, typename Each>
Result<bool> dump_once(int fd, std::uint16_t type, const void* payload, std::size_t payload_size, Each&& each) {
    struct {
        nlmsghdr header;
        std::array<std::uint8_t, 64> payload;
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
        if (static_cast<std::size_t>(got) > buffer.size()) return Error{EX_OSERR, "answer longer than the buffer"};
        std::size_t left = static_cast<std::size_t>(got);
        const nlmsghdr* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; left >= sizeof *message && message->nlmsg_len >= sizeof *message && message->nlmsg_len <= left;
             message = next_message(message, left)) {
            if (message->nlmsg_flags & NLM_F_DUMP_INTR) consistent = false;
            if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
                // Both begin with an int: zero or a negative errno.
                int error = 0;
                if (message->nlmsg_len >= NLMSG_LENGTH(sizeof error)) std::memcpy(&error, payload_of(message), sizeof error);
                // The table of a network namespace without a single address does not exist.
                if (error != 0 && error != -ENOENT) return system_error("answer", -error);
                return consistent;
            }
            if (message->nlmsg_len < NLMSG_LENGTH(sizeof(Payload))) continue;
            Payload body;
            std::memcpy(&body, payload_of(message), sizeof body);
            const std::size_t used = NLMSG_LENGTH(NLMSG_ALIGN(sizeof body));
            each(body, read_attributes(reinterpret_cast<const char*>(message) + used,
                                       message->nlmsg_len - std::min<std::size_t>(used, message->nlmsg_len)));
        }
    }
}

std::string name_of(std::map<std::uint32_t, std::string>& names, std::uint32_t index) {
    auto [name, fresh] = names.try_emplace(index);
    std::array<char, IF_NAMESIZE> text{};
    if (fresh && index != 0 && ::if_indextoname(index, text.data()) != nullptr) name->second = text.data();
    return name->second;
}

Result<bool> dump_routes(int fd, std::vector<LocalRoute>& routes, std::map<std::uint32_t, std::string>& names) {
    // rtm_table and strict checking make the kernel send table local only, not a router's million routes.
    rtmsg request{};
    request.rtm_table = RT_TABLE_LOCAL;
    bool consistent = true;
    for (const int family : {AF_INET, AF_INET6}) {
        request.rtm_family = static_cast<unsigned char>(family);
        auto done = dump_once<rtmsg>(fd, RTM_GETROUTE, &request, sizeof request, [&](const rtmsg& route, const Attributes& attributes) {
            if (attributes.number(RTA_TABLE, route.rtm_table) != RT_TABLE_LOCAL) return;
            if (route.rtm_type != RTN_LOCAL && route.rtm_type != RTN_BROADCAST && route.rtm_type != RTN_ANYCAST) return;
            std::array<std::uint8_t, 16> any{};  // a default route carries no RTA_DST
            const std::size_t size = route.rtm_family == AF_INET ? 4 : 16;
            const auto& destination = attributes[RTA_DST];
            const auto prefix =
                IpPrefix::from_bytes(destination.empty() ? std::span<const std::uint8_t>(any).first(size) : destination, route.rtm_dst_len);
            if (!prefix) return;
            routes.push_back({*prefix, route.rtm_type == RTN_BROADCAST ? JAIL_REASON_BROADCAST : JAIL_REASON_LOCAL,
                              name_of(names, attributes.number(RTA_OIF, 0))});
        });
        if (!done) return std::move(done).error().context("routing table local");
        consistent = consistent && *done;
    }
    return consistent;
}

Result<bool> dump_addresses(int fd, std::vector<LocalRoute>& routes, std::map<std::uint32_t, std::string>& names) {
    ifaddrmsg request{};
    auto done = dump_once<ifaddrmsg>(fd, RTM_GETADDR, &request, sizeof request, [&](const ifaddrmsg& message, const Attributes& attributes) {
        // On a point-to-point link IFA_ADDRESS is the peer's.
        const auto& address = attributes[IFA_LOCAL].empty() ? attributes[IFA_ADDRESS] : attributes[IFA_LOCAL];
        const std::string device = name_of(names, message.ifa_index);
        if (const auto prefix = IpPrefix::from_bytes(address, static_cast<unsigned>(address.size() * 8)))
            routes.push_back({*prefix, JAIL_REASON_LOCAL, device});
        const auto& broadcast = attributes[IFA_BROADCAST];
        if (const auto prefix = IpPrefix::from_bytes(broadcast, static_cast<unsigned>(broadcast.size() * 8)); prefix && message.ifa_family == AF_INET)
            routes.push_back({*prefix, JAIL_REASON_BROADCAST, device});
    });
    if (!done) return std::move(done).error().context("interface addresses");
    return done;
}

}  // namespace

Result<std::vector<LocalRoute>> read_local_routes() {
    const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!fd) return system_error("rtnetlink socket", errno);
    const int on = 1;
    // Only a filter (kernel 4.20); what an older kernel sends beyond it is sorted out above.
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    std::map<std::uint32_t, std::string> names;
    for (int attempt = 0; attempt < kDumpTries; ++attempt) {
        std::vector<LocalRoute> routes;
        auto routed = dump_routes(fd.get(), routes, names);
        if (!routed) return std::move(routed).error().context("rtnetlink");
        auto addressed = dump_addresses(fd.get(), routes, names);
        if (!addressed) return std::move(addressed).error().context("rtnetlink");
        if (*routed && *addressed) return routes;
    }
    return Error{EX_TEMPFAIL, fmt::format("rtnetlink: addresses changed during each of {} reads", kDumpTries)};
}

}  // namespace jail_ai
