// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// IPv6 neighbour discovery: the kernel's own gets to the host, for else the host would not find the
// container, and what a raw socket writes in the very same form does not, for it says to the host
// who is who on the link.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sched.h>

#include <array>
#include <cstring>
#include <utility>

#include "must.h"
#include "scene.h"

namespace jail_ai::test {
namespace {

constexpr int kHops = 255;

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

TEST_CASE(
    "the kernel's own neighbour discovery leaves a network namespace that was made in the jail") {
    Container container;
    const NetworkNamespace network(make_network(container.init));
    link_to_host(Laboratory::get().network, network, "nd0", "10.79.5.", "fd79:5::");
    expect_jailed(container.run_hook(), container.cgroup);
    const DenialCounts before = denials(container.cgroup);
    const Destination self = destination("fd79:5::2", kPort);
    const int server = container.init.run([=] {
        const int socket = must(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket");
        const timeval patience{10, 0};
        must(::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
             "bound a receive");
        must(::bind(socket, self.get(), self.length), "bind a socket");
        return socket;
    });
    Child host({.network = &Laboratory::get().network.host});
    const Token token = fresh_token();
    CHECK(error_name(host.run([=] { return attempt(Way::udp_sendto, self, token); })) == "none");
    CHECK(container.init.run([=] {
        char bytes[64];
        return ::recv(server, bytes, sizeof bytes, 0) > 0;
    }));
    CHECK(change(before, denials(container.cgroup)) == "");
}

}  // namespace
}  // namespace jail_ai::test
