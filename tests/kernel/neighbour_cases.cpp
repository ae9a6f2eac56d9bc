// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// IPv6 neighbour discovery and reports of groups: the kernel's own leave, for else the host would
// not find the container, and what a raw socket writes in the very same form does not, for it says
// to the host who is who on the link.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "kernel_bpf.h"
#include "must.h"
#include "netlink.h"
#include "network_lab.h"
#include "scene.h"

namespace jail_ai::test {
namespace {

constexpr int kHops = 255;
constexpr int kListenerReport = 143;  // RFC 3810 5.2

struct Advertisement {
    nd_neighbor_advert head;
    nd_opt_hdr option;
    std::uint8_t link_address[6];
};
static_assert(sizeof(Advertisement) == 32, "as the kernel sends it");

// "I am fd77::TOKEN, at this link-layer address", for IPPROTO_RAW with the IPv6 header before it: 0
// or an errno.
int advertise(const Destination& to, Token token, int protocol) {
    Advertisement message{};
    message.head.nd_na_type = ND_NEIGHBOR_ADVERT;
    message.head.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
    message.head.nd_na_target = reinterpret_cast<const sockaddr_in6&>(to.address).sin6_addr;
    std::memcpy(message.head.nd_na_target.s6_addr + 8, &token, 8);
    message.option = {ND_OPT_TARGET_LINKADDR, 1};
    message.link_address[0] = 2;
    std::array<std::uint8_t, 40 + sizeof message> packet{};
    packet[0] = 0x60;
    packet[5] = sizeof message;
    packet[6] = IPPROTO_ICMPV6;
    packet[7] = kHops;
    const auto own = destination("fd77::2", 0);
    std::memcpy(&packet[8], &reinterpret_cast<const sockaddr_in6&>(own.address).sin6_addr, 16);
    std::memcpy(&packet[24], &reinterpret_cast<const sockaddr_in6&>(to.address).sin6_addr, 16);
    std::memcpy(&packet[40], &message, sizeof message);
    const std::size_t skipped = protocol == IPPROTO_RAW ? 0 : 40;
    const UniqueFd socket(
        must(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, protocol), "open a raw socket"));
    must(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, &kHops, sizeof kHops),
         "set the hop limit");
    return ::sendto(socket.get(), &packet[skipped], packet.size() - skipped, 0, to.get(),
                    to.length) < 0
               ? errno
               : 0;
}

// "I listen to ff02::TOKEN", in the kernel's form: 0 or an errno.
int report_group(Token token) {
    const Destination to =
        destination("ff02::16", 0, Laboratory::get().network.container_interface);
    std::array<std::uint8_t, 76> packet{0x60, 0, 0, 0, 0, 36, IPPROTO_HOPOPTS, 1};
    const auto own = destination("fd77::2", 0);
    std::memcpy(&packet[8], &reinterpret_cast<const sockaddr_in6&>(own.address).sin6_addr, 16);
    std::memcpy(&packet[24], &reinterpret_cast<const sockaddr_in6&>(to.address).sin6_addr, 16);
    const std::array<std::uint8_t, 20> rest{IPPROTO_ICMPV6,  0, 5, 2, 0, 0, 1, 0,  // router alert
                                            kListenerReport, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0};
    std::ranges::copy(rest, packet.begin() + 40);
    packet[60] = 0xff;
    packet[61] = 2;
    std::memcpy(&packet[68], &token, 8);
    const UniqueFd socket(
        must(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), "open a raw socket"));
    return ::sendto(socket.get(), packet.data(), packet.size(), 0, to.get(), to.length) < 0 ? errno
                                                                                            : 0;
}

TEST_CASE(
    "a report of a group that a raw socket writes is denied, though it has the kernel's form") {
    Scene& scene = Scene::own_network();
    const Token token = fresh_token();
    CHECK(error_name(scene.outsider.run([=] { return report_group(token); })) == "none");
    const DenialCounts before = denials(scene.container.cgroup);
    CHECK(error_name(scene.container.init.run([=] { return report_group(token); })) == "EPERM");
    CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_MULTICAST));
}

TEST_CASE(
    "neighbour discovery that a raw socket writes is denied, though it has the kernel's form") {
    Scene& scene = Scene::own_network();
    const Destination host = destination("fd77::1", 0);
    const Destination link =
        destination("fe80::77:1", 0, Laboratory::get().network.container_interface);
    const Destination internet = destination("fd78::2", 0);
    for (const int protocol : {int{IPPROTO_ICMPV6}, int{IPPROTO_RAW}}) {
        INFO(protocol);
        for (const Destination& to : {host, link}) {
            const Token token = fresh_token();
            CHECK(error_name(scene.outsider.run([=] { return advertise(to, token, protocol); })) ==
                  "none");
            const DenialCounts before = denials(scene.container.cgroup);
            CHECK(error_name(scene.container.init.run(
                      [=] { return advertise(to, token, protocol); })) == "EPERM");
            CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOCAL));
            CHECK(error_name(scene.container.init.run(
                      [=] { return advertise(internet, token, protocol); })) == "none");
            CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOCAL));
        }
    }
}

// A network namespace whose kernel's sockets belong to the cgroup of who makes it, as runc's.
UniqueFd make_network(Child& child) {
    const int number = child.run([] {
        auto* made = new NetworkNamespace;  // for as long as the child lives
        must(::setns(made->fd(), CLONE_NEWNET), "enter a network namespace");
        return made->fd();
    });
    const std::string path =
        "/proc/" + std::to_string(child.pid()) + "/fd/" + std::to_string(number);
    return UniqueFd(must(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open a network namespace"));
}

// A jailed container in such a namespace, with a link to the host.
struct JailedNetwork {
    Container container;
    const NetworkNamespace network{make_network(container.init)};

    JailedNetwork(const char* link, const std::string& prefix4, const std::string& prefix6) {
        link_to_host(Laboratory::get().network, network, link, prefix4, prefix6);
        expect_jailed(container.run_hook(), container.cgroup);
    }
};

// Those of the ICMPv6 messages that have not come over an interface after all.
std::set<int> await_types(int packets, unsigned index, std::set<int> wanted) {
    while (!wanted.empty()) {
        std::array<std::uint8_t, 256> packet{};
        sockaddr_ll from{};
        socklen_t length = sizeof from;
        const ssize_t size = ::recvfrom(packets, packet.data(), packet.size(), 0,
                                        reinterpret_cast<sockaddr*>(&from), &length);
        if (size < 0) break;
        if (from.sll_ifindex != static_cast<int>(index) || from.sll_pkttype == PACKET_OUTGOING)
            continue;
        if (packet[6] == IPPROTO_ICMPV6) wanted.erase(packet[40]);
        if (packet[6] == IPPROTO_HOPOPTS && packet[40] == IPPROTO_ICMPV6) wanted.erase(packet[48]);
    }
    return wanted;
}

TEST_CASE(
    "the kernel's own neighbour discovery leaves a network namespace that was made in the jail") {
    JailedNetwork jailed("nd0", "10.79.5.", "fd79:5::");
    Container& container = jailed.container;
    const DenialCounts before = denials(container.cgroup);

    const Visit host(Laboratory::get().network.host);
    const UniqueFd packets(must(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IPV6)),
                                "open a packet socket"));
    const timeval patience{30, 0};
    must(::setsockopt(packets.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    {
        const Visit visit(jailed.network);
        Netlink netlink;
        netlink.set_down("nd0p");
        netlink.set_up("nd0p");
        netlink.add_address("nd0p", "fd79:5::2/64");
    }
    const Destination self = destination("fd79:5::2", kPort);
    container.init.run([=] {
        const int socket = must(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket");
        return must(::bind(socket, self.get(), self.length), "bind a socket");
    });
    CHECK(error_name(attempt(Way::udp_sendto, self, fresh_token())) == "none");
    const Destination neighbour = destination("fd79:5::3", kPort);
    CHECK(error_name(container.init.run(
              [=] { return attempt(Way::udp_sendto, neighbour, fresh_token()); })) == "none");
    CHECK(fmt::format("{}", fmt::join(await_types(packets.get(), ::if_nametoindex("nd0"),
                                                  {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT,
                                                   ND_ROUTER_SOLICIT, kListenerReport}),
                                      " ")) == "");
    CHECK(change(before, denials(container.cgroup)) == "");
}

// Before Linux 5.18 a network namespace has sockets of its own for ICMP, which then belong to the
// jail as those for neighbour discovery do: only the host's own ping is not answered.
TEST_CASE("the kernel of a network namespace that was made in the jail answers the host") {
    const bool answers_ping = kernel_is_at_least(5, 18);
    const JailedNetwork jailed("nd1", "10.79.6.", "fd79:6::");
    const Container& container = jailed.container;
    const DenialCounts before = denials(container.cgroup);
    const Visit host(Laboratory::get().network.host);
    for (const char* self : {"10.79.6.2", "fd79:6::2"}) {
        INFO(std::string(self));
        const Destination closed = destination(self, kPort);
        CHECK(error_name(attempt(Way::tcp_connect, closed, fresh_token())) == "ECONNREFUSED");
        CHECK(error_name(ping(destination(self, 0))) == (answers_ping ? "none" : "EAGAIN"));
    }
    CHECK(change(before, denials(container.cgroup)) == (answers_ping ? "" : "local+2"));
}

}  // namespace
}  // namespace jail_ai::test
