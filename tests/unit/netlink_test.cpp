// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Datagrams of a dump, as rtnetlink(7) sends them and as it doesn't.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "system/route_messages.h"

using namespace jail_ai;

namespace {

using Bytes = std::vector<char>;

template <typename Value>
void add(Bytes& to, const Value& value) {
    const auto* bytes = reinterpret_cast<const char*>(&value);
    to.insert(to.end(), bytes, bytes + sizeof value);
}

void add_attribute(Bytes& to, std::uint16_t type, const Bytes& value) {
    add(to, rtattr{static_cast<std::uint16_t>(RTA_LENGTH(value.size())), type});
    to.insert(to.end(), value.begin(), value.end());
    to.resize(RTA_ALIGN(to.size()));
}

template <typename Payload>
Bytes message(std::uint16_t type, const Payload& payload, const Bytes& attributes,
              std::uint16_t flags = 0) {
    Bytes bytes;
    const std::size_t size = NLMSG_LENGTH(sizeof payload) + attributes.size();
    add(bytes, nlmsghdr{static_cast<std::uint32_t>(size), type, flags, 0, 0});
    add(bytes, payload);
    bytes.insert(bytes.end(), attributes.begin(), attributes.end());
    return bytes;
}

const Bytes kDone = message(NLMSG_DONE, 0, {});

Bytes joined(Bytes first, const Bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

Bytes route_to(const Bytes& destination, std::uint8_t bits, std::uint8_t type = RTN_LOCAL,
               std::uint8_t family = AF_INET) {
    rtmsg route{};
    route.rtm_family = family;
    route.rtm_dst_len = bits;
    route.rtm_type = type;
    Bytes attributes;
    if (!destination.empty()) add_attribute(attributes, RTA_DST, destination);
    add_attribute(attributes, RTA_OIF, {7, 0, 0, 0});
    return message(RTM_NEWROUTE, route, attributes);
}

struct Read {
    std::vector<std::string> found;
    bool consistent = true;
    std::optional<DumpEnd> end;
};

Read read_routes(const Bytes& bytes) {
    Read read;
    read.end = read_replies<rtmsg>(
        bytes, read.consistent, [&](const rtmsg& route, const Attributes& attributes) {
            const auto local = read_route(route, attributes);
            read.found.push_back(local ? local->prefix.to_string() : "none");
        });
    return read;
}

const Bytes kAddress = {10, 0, 0, 1};

}  // namespace

TEST_CASE("netlink: routes are read up to the end that the kernel announces") {
    const auto read = read_routes(joined(joined(route_to(kAddress, 32), route_to({}, 0)),
                                         joined(kDone, route_to(kAddress, 8))));
    CHECK(read.found == std::vector<std::string>{"10.0.0.1", "0.0.0.0/0"});
    REQUIRE(read.end);
    CHECK(read.end->error == 0);
    CHECK(read.end->consistent);
    CHECK_FALSE(read_routes(route_to(kAddress, 32)).end);
}

TEST_CASE("netlink: an interrupted dump is known by any of its messages") {
    Bytes interrupted = message(NLMSG_DONE, 0, {}, NLM_F_DUMP_INTR);
    CHECK_FALSE(read_routes(interrupted).end->consistent);
    auto first = read_routes(message(RTM_NEWROUTE, rtmsg{}, {}, NLM_F_DUMP_INTR));
    CHECK_FALSE(first.consistent);
    CHECK_FALSE(read_replies<rtmsg>(kDone, first.consistent, [](const rtmsg&, const Attributes&) {
                })->consistent);
}

TEST_CASE("netlink: an error ends the dump by its number") {
    CHECK(read_routes(message(NLMSG_ERROR, -EPERM, {})).end->error == EPERM);
    Bytes short_error;
    add(short_error, nlmsghdr{NLMSG_HDRLEN, NLMSG_ERROR, 0, 0, 0});
    CHECK(read_routes(short_error).end->error == 0);
}

TEST_CASE("netlink: no length is believed") {
    const Bytes whole = joined(route_to(kAddress, 32), route_to(kAddress, 32));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(read_routes(cut).found.size() == (size < whole.size() / 2 ? 0U : 1U));
    }
    // A message, and an attribute, of every length that a header can name.
    for (unsigned length = 0; length < 100; ++length) {
        CAPTURE(length);
        Bytes bytes = route_to(kAddress, 32);
        bytes[0] = static_cast<char>(length);
        CHECK(read_routes(bytes).found.size() <= 1);
        bytes = route_to(kAddress, 32);
        bytes[NLMSG_LENGTH(sizeof(rtmsg))] = static_cast<char>(length);
        CHECK(read_routes(bytes).found.size() == 1);
    }
    CHECK(read_routes(route_to(kAddress, 33)).found == std::vector<std::string>{"none"});
    CHECK(read_routes(route_to({1, 2, 3}, 8)).found == std::vector<std::string>{"none"});
    CHECK(read_routes(route_to(Bytes(16), 129, RTN_LOCAL, AF_INET6)).found ==
          std::vector<std::string>{"none"});
}

TEST_CASE("netlink: an interface has an address and, of IPv4, a broadcast address") {
    ifaddrmsg body{};
    body.ifa_family = AF_INET;
    body.ifa_index = 3;
    Bytes attributes;
    add_attribute(attributes, IFA_ADDRESS, {10, 0, 0, 2});  // the other end of the link
    add_attribute(attributes, IFA_LOCAL, kAddress);
    add_attribute(attributes, IFA_BROADCAST, {10, 0, 0, 3});
    const auto read =
        read_interface_addresses(body, read_attributes(attributes.data(), attributes.size()));
    REQUIRE(read.size() == 2);
    CHECK(read[0].prefix.to_string() == "10.0.0.1");
    CHECK(read[0].reason == JAIL_REASON_LOCAL);
    CHECK(read[1].prefix.to_string() == "10.0.0.3");
    CHECK(read[1].reason == JAIL_REASON_BROADCAST);
    CHECK(read[1].interface == 3);
    body.ifa_family = AF_INET6;
    CHECK(read_interface_addresses(body, read_attributes(attributes.data(), attributes.size()))
              .size() == 1);
    CHECK(read_interface_addresses(body, {}).empty());
}
