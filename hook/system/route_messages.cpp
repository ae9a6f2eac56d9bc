// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/route_messages.h"

#include <sys/socket.h>

#include <array>
#include <span>

namespace jail_ai {
namespace {

std::optional<IpPrefix> whole_address(std::span<const std::uint8_t> bytes) {
    return IpPrefix::from_bytes(bytes, static_cast<unsigned>(bytes.size() * 8));
}

}  // namespace

std::optional<DeliveredPrefix> read_route(const rtmsg& route, const Attributes& attributes) {
    const std::array<std::uint8_t, 16> any{};  // a default route carries no RTA_DST
    const std::size_t size = route.rtm_family == AF_INET ? 4 : 16;
    const auto& destination = attributes[RTA_DST];
    const auto prefix = IpPrefix::from_bytes(
        destination.empty() ? std::span<const std::uint8_t>(any).first(size) : destination,
        route.rtm_dst_len);
    if (!prefix) return std::nullopt;
    return DeliveredPrefix{
        *prefix, route.rtm_type == RTN_BROADCAST ? JAIL_REASON_BROADCAST : JAIL_REASON_LOCAL,
        attributes.number(RTA_OIF, 0)};
}

std::vector<DeliveredPrefix> read_interface_addresses(const ifaddrmsg& message,
                                                      const Attributes& attributes) {
    std::vector<DeliveredPrefix> found;
    // On a point-to-point link IFA_ADDRESS is the peer's.
    const auto& address =
        attributes[IFA_LOCAL].empty() ? attributes[IFA_ADDRESS] : attributes[IFA_LOCAL];
    if (const auto prefix = whole_address(address))
        found.push_back({*prefix, JAIL_REASON_LOCAL, message.ifa_index});
    if (message.ifa_family != AF_INET) return found;
    if (const auto prefix = whole_address(attributes[IFA_BROADCAST]))
        found.push_back({*prefix, JAIL_REASON_BROADCAST, message.ifa_index});
    return found;
}

}  // namespace jail_ai
