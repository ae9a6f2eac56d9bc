// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who is no UDP peer: what came to a socket from somebody else, by another way or for others opens
// nothing to the host.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>

#include "must.h"
#include "netlink.h"
#include "scene.h"

namespace jail_ai::test {
namespace {

constexpr std::uint16_t kServer = 8090, kClient = 8091;

int udp_socket(const Destination& at) {
    const int socket =
        must(::socket(at.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a UDP socket");
    const timeval patience{3, 0};
    must(::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    const int yes = 1;
    must(::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "reuse a port");
    if (at.family() == AF_INET6)
        must(::setsockopt(socket, SOL_IPV6, IPV6_FREEBIND, &yes, sizeof yes), "bind freely");
    must(::bind(socket, at.get(), at.length), "bind a UDP socket");
    return socket;
}

int say_to(int socket, const Destination& to, Token token) {
    return ::sendto(socket, &token, sizeof token, 0, to.get(), to.length) < 0 ? errno : 0;
}

struct Heard {
    Token token;
    Destination from;
};

Heard hear(int socket) {
    Heard heard{};
    heard.from.length = sizeof heard.from.address;
    if (::recvfrom(socket, &heard.token, sizeof heard.token, 0,
                   reinterpret_cast<sockaddr*>(&heard.from.address), &heard.from.length) < 0)
        return {};
    return heard;
}

// The server in the child hears the token, and answers whoever it is from: by name, what the answer
// comes to.
std::string answer(Child& child, int server, Token token) {
    const Heard heard = child.run([=] { return hear(server); });
    CHECK(heard.token == token);
    return error_name(child.run([=] { return say_to(server, heard.from, token); }));
}

// As answer(), in a jail: with what is counted.
std::string answer_counted(Container& container, int server, Token token) {
    const DenialCounts before = denials(container.cgroup);
    const std::string error = answer(container.init, server, token);
    const std::string counted = change(before, denials(container.cgroup));
    return counted.empty() ? error : error + ", " + counted;
}

TEST_CASE("who has spoken is answered at that address and port, and at none of thousands besides") {
    Container container(
        {.annotations =
             R"({"jail-ai.block-host":"true","jail-ai.block-host.also":"10.80.0.0/16"})"});
    expect_jailed(container.run_hook(), container.cgroup);
    Child client({.network = &Laboratory::get().network.host});
    const int server =
        container.init.run([] { return udp_socket(destination("0.0.0.0", kServer)); });
    const int speaker = client.run([] { return udp_socket(destination("10.77.0.1", kClient)); });
    CHECK(client.run(
              [=] { return say_to(speaker, destination("10.77.0.2", kServer), Token{1}); }) == 0);
    CHECK(answer(container.init, server, Token{1}) == "none");

    // Enough that some of them share a place of the table with the peer.
    constexpr int kOthers = 2000;
    const DenialCounts before = denials(container.cgroup);
    CHECK(container.init.run([=] {
        Destination to = destination("10.77.0.1", 0);
        int denied = 0;
        for (int i = 1; i <= kOthers; i++) {
            reinterpret_cast<sockaddr_in&>(to.address).sin_port =
                htons(static_cast<std::uint16_t>(10000 + i));
            denied += say_to(server, to, Token{2}) == EPERM ? 1 : 0;
        }
        return denied;
    }) == kOthers);
    CHECK(container.init.run([=] {
        Destination to = destination("10.80.0.0", kClient);
        int denied = 0;
        for (std::uint32_t i = 1; i <= kOthers; i++) {
            reinterpret_cast<sockaddr_in&>(to.address).sin_addr.s_addr =
                htonl((10U << 24) + (80U << 16) + (i % 256 << 8) + i / 256);
            denied += say_to(server, to, Token{2}) == EPERM ? 1 : 0;
        }
        return denied;
    }) == kOthers);
    const DenialCounts after = denials(container.cgroup);
    CHECK(after[JAIL_REASON_LOCAL] - before[JAIL_REASON_LOCAL] == kOthers);
    CHECK(after[JAIL_REASON_POLICY] - before[JAIL_REASON_POLICY] == kOthers);
    CHECK(container.init.run(
              [=] { return say_to(server, destination("10.77.0.1", kClient), Token{3}); }) == 0);
    CHECK(client.run([=] { return hear(speaker); }).token == Token{1});
    CHECK(client.run([=] { return hear(speaker); }).token == Token{3});
}

TEST_CASE("peers that differ in the last bits of their address don't push each other out") {
    Container container(
        {.annotations =
             R"({"jail-ai.block-host":"true","jail-ai.block-host.also":"10.80.0.0/16"})"});
    expect_jailed(container.run_hook(), container.cgroup);
    Child client({.network = &Laboratory::get().network.host});
    const int server =
        container.init.run([] { return udp_socket(destination("0.0.0.0", kServer)); });
    constexpr int kPeers = 48;  // a full set has 24, and there are 8 sets
    const auto peer = [](int i) {
        Destination to = destination("10.80.0.0", kClient);
        reinterpret_cast<sockaddr_in&>(to.address).sin_addr.s_addr =
            htonl((10U << 24) + (80U << 16) + static_cast<std::uint32_t>(i));
        return to;
    };
    CHECK(client.run([=] {
        int said = 0;
        for (int i = 1; i <= kPeers; ++i) {
            const UniqueFd socket(
                must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
            const int on = 1;
            must(::setsockopt(socket.get(), SOL_IP, IP_TRANSPARENT, &on, sizeof on),
                 "bind to another's address");
            const Destination from = peer(i);
            must(::bind(socket.get(), from.get(), from.length), "bind a socket");
            said += say_to(socket.get(), destination("10.77.0.2", kServer), Token{1}) == 0 ? 1 : 0;
        }
        return said;
    }) == kPeers);
    CHECK(container.init.run([=] {
        int answered = 0;
        for (int i = 1; i <= kPeers && hear(server).token == Token{1}; ++i)
            answered += say_to(server, peer(i), Token{2}) == 0 ? 1 : 0;
        return answered;
    }) == kPeers);
}

// A datagram whose source is named by the call, of an IPv6 socket that binds freely.
int say_from(int socket, const char* from, const Destination& to, Token token) {
    in6_pktinfo source{};
    ::inet_pton(AF_INET6, from, &source.ipi6_addr);
    iovec part{&token, sizeof token};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof source)]{};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(to.get());
    message.msg_namelen = to.length;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_IPV6;
    head->cmsg_type = IPV6_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof source);
    std::memcpy(CMSG_DATA(head), &source, sizeof source);
    return ::sendmsg(socket, &message, 0) < 0 ? errno : 0;
}

// The port that the kernel has chosen for a socket which has sent something.
std::uint16_t chosen_port(int socket) {
    sockaddr_in own{};
    socklen_t length = sizeof own;
    must(::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length),
         "ask for a socket's port");
    return ntohs(own.sin_port);
}

// What the host has masqueraded comes back to the container that sent it by both ends; from
// elsewhere it would be for the host itself.
TEST_CASE(
    "a UDP peer is answered from where it spoke to, and from no other port or address of the "
    "container") {
    Scene& scene = Scene::own_network();
    Child client({.network = &Laboratory::get().network.host});
    const Destination peer = destination("10.77.0.1", kClient),
                      peer6 = destination("fd77::1", kClient);
    const int speaker = client.run([=] { return udp_socket(peer); }),
              speaker6 = client.run([=] { return udp_socket(peer6); });
    const auto outcome = [&](Child& child, auto act) {
        const DenialCounts before = denials(scene.container.cgroup);
        const std::string error = error_name(child.run(act)),
                          counted = change(before, denials(scene.container.cgroup));
        return counted.empty() ? error : error + ", " + counted;
    };
    for (const bool jailed : {false, true}) {
        INFO(jailed);
        Child& child = jailed ? scene.container.init : scene.outsider;
        const int socket = child.run([] {
            return must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a UDP socket");
        });
        CHECK(error_name(child.run([=] {
                  return say_to(socket, destination("10.78.0.2", kPort), Token{1});
              })) == "none");
        const std::uint16_t port = child.run([=] { return chosen_port(socket); });
        CHECK(client.run(
                  [=] { return say_to(speaker, destination("10.77.0.2", port), Token{2}); }) == 0);
        CHECK(answer(child, socket, Token{2}) == "none");
        CHECK(client.run([=] { return hear(speaker); }).token == Token{2});
        // Disconnected, it loses the port that the kernel chose, and takes another.
        child.run([=] {
            const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
            must(::connect(socket, &nobody, sizeof nobody), "disconnect a UDP socket");
            const Destination other = destination("0.0.0.0", kServer);
            must(::bind(socket, other.get(), other.length), "bind to another port");
            return 0;
        });
        CHECK(outcome(child, [=] { return say_to(socket, peer, Token{3}); }) ==
              (jailed ? "EPERM, local+1" : "none"));
        if (!jailed) CHECK(client.run([=] { return hear(speaker); }).token == Token{3});
        CHECK(child.run([=] { return ::close(socket); }) == 0);

        const int server = child.run([] { return udp_socket(destination("::", kServer)); });
        CHECK(client.run([=] {
            return say_to(speaker6, destination("fd77::2", kServer), Token{4});
        }) == 0);
        CHECK(child.run([=] { return hear(server); }).token == Token{4});
        CHECK(outcome(child, [=] { return say_from(server, "fd77::2", peer6, Token{5}); }) ==
              "none");
        CHECK(client.run([=] { return hear(speaker6); }).token == Token{5});
        CHECK(outcome(child, [=] { return say_from(server, "fd77::99", peer6, Token{6}); }) ==
              (jailed ? "EPERM, local+1" : "none"));
        if (!jailed) CHECK(client.run([=] { return hear(speaker6); }).token == Token{6});
        CHECK(error_name(child.run([=] {
                  return say_from(server, "fd77::99", destination("fd78::2", kPort), Token{7});
              })) == "none");
        CHECK(child.run([=] { return ::close(server); }) == 0);
    }
}

int raw_udp_socket() {
    return must(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP), "open a raw socket");
}

// A datagram from the server's port, by a raw socket.
int answer_raw(int socket, const Destination& to, Token token) {
    struct {
        udphdr header;
        Token token;
    } packet{};
    packet.header.source = htons(kServer);
    packet.header.dest = reinterpret_cast<const sockaddr_in&>(to.address).sin_port;
    packet.header.len = htons(sizeof packet);
    packet.token = token;
    return ::sendto(socket, &packet, sizeof packet, 0, to.get(), to.length) < 0 ? errno : 0;
}

TEST_CASE("a raw socket that overhears a UDP peer can't answer it") {
    Scene& scene = Scene::own_network();
    Child client({.network = &Laboratory::get().network.host});
    const Destination peer = destination("10.77.0.1", kClient),
                      internet = destination("10.78.0.2", kPort);
    const int server =
        scene.container.init.run([] { return udp_socket(destination("0.0.0.0", kServer)); });
    const int jailed = scene.container.init.run(raw_udp_socket),
              free = scene.outsider.run(raw_udp_socket);
    const int speaker = client.run([=] { return udp_socket(peer); });
    CHECK(client.run(
              [=] { return say_to(speaker, destination("10.77.0.2", kServer), Token{1}); }) == 0);
    CHECK(scene.container.init.run([=] { return hear(server); }).token == Token{1});
    const DenialCounts before = denials(scene.container.cgroup);
    CHECK(error_name(scene.container.init.run(
              [=] { return answer_raw(jailed, peer, Token{2}); })) == "EPERM");
    CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOCAL));
    CHECK(error_name(scene.container.init.run(
              [=] { return answer_raw(jailed, internet, Token{3}); })) == "none");
    CHECK(error_name(scene.outsider.run([=] { return answer_raw(free, peer, Token{4}); })) ==
          "none");
    CHECK(client.run([=] { return hear(speaker); }).token == Token{4});
    CHECK(scene.container.init.run([=] { return ::close(server) + ::close(jailed); }) == 0);
}

TEST_CASE("a UDP socket that was connected to the host before the jail sends it nothing more") {
    Witness& witness = Laboratory::get().network.witness;
    for (const bool v6 : {false, true}) {
        INFO(v6);
        const Destination host = destination(v6 ? "fd77::1" : "10.77.0.1", kPort),
                          internet = destination(v6 ? "fd78::2" : "10.78.0.2", kPort);
        Container container(
            {.annotations =
                 R"({"jail-ai.block-host":"true","jail-ai.block-host.accept":"inherited-sockets"})"});
        const auto connected = [](const Destination& to) {
            const int socket =
                must(::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a UDP socket");
            must(::connect(socket, to.get(), to.length), "connect a UDP socket");
            return socket;
        };
        const auto say = [](int socket, Token token) {
            return ::send(socket, &token, sizeof token, 0) < 0 ? errno : 0;
        };
        const int to_host = container.init.run([=] { return connected(host); });
        const int to_internet = container.init.run([=] { return connected(internet); });
        const Token before_it = fresh_token(), blocked = fresh_token(), passing = fresh_token();
        CHECK(error_name(container.init.run([=] { return say(to_host, before_it); })) == "none");
        CHECK(arrival(before_it, Place::host) == "host");
        CHECK(container.run_hook().exit_code == 0);
        const DenialCounts before = denials(container.cgroup);
        CHECK(error_name(container.init.run([=] { return say(to_host, blocked); })) == "EPERM");
        CHECK(change(before, denials(container.cgroup)) == one_more(JAIL_REASON_LOCAL));
        CHECK(error_name(container.init.run([=] { return say(to_internet, passing); })) == "none");
        CHECK(arrival(passing, Place::internet) == "internet");
        CHECK_FALSE(witness.has_seen(blocked));
    }
}

struct LinkAddress {
    std::uint8_t bytes[ETH_ALEN];
};

LinkAddress link_address(const char* interface) {
    const UniqueFd socket(must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
    ifreq request{};
    std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    must(::ioctl(socket.get(), SIOCGIFHWADDR, &request), "ask for a link-level address");
    LinkAddress address{};
    std::memcpy(address.bytes, request.ifr_hwaddr.sa_data, sizeof address.bytes);
    return address;
}

// A datagram of the host's on its link to the container, to addresses that need not fit together.
int send_frame(const LinkAddress& link, const char* to, std::uint16_t from_port, Token token) {
    struct {
        iphdr ip;
        udphdr udp;
        std::uint8_t token[sizeof(Token)];  // which would be aligned
    } packet{};
    packet.ip.version = 4;
    packet.ip.ihl = 5;
    packet.ip.ttl = 64;
    packet.ip.protocol = IPPROTO_UDP;
    packet.ip.tot_len = htons(sizeof packet);
    ::inet_pton(AF_INET, "10.77.0.1", &packet.ip.saddr);
    ::inet_pton(AF_INET, to, &packet.ip.daddr);
    std::uint32_t sum = 0;  // RFC 1071
    for (std::size_t i = 0; i < sizeof packet.ip; i += 2) {
        std::uint16_t word = 0;
        std::memcpy(&word, reinterpret_cast<const char*>(&packet.ip) + i, sizeof word);
        sum += word;
    }
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    packet.ip.check = static_cast<std::uint16_t>(~sum);
    packet.udp.source = htons(from_port);
    packet.udp.dest = htons(kServer);
    packet.udp.len = htons(sizeof packet - sizeof packet.ip);
    std::memcpy(packet.token, &token, sizeof token);
    const UniqueFd socket(
        must(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a packet socket"));
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_IP);
    where.sll_ifindex = static_cast<int>(::if_nametoindex("host0"));
    where.sll_halen = ETH_ALEN;
    std::memcpy(where.sll_addr, link.bytes, ETH_ALEN);
    return ::sendto(socket.get(), &packet, sizeof packet, 0,
                    reinterpret_cast<const sockaddr*>(&where), sizeof where) < 0
               ? errno
               : 0;
}

// Either alone says that it is for many: the address of the link and that of the network.
TEST_CASE("who sends to a group or to everybody is no UDP peer") {
    Scene& scene = Scene::own_network();
    Child host({.network = &Laboratory::get().network.host});
    const int server =
        scene.container.init.run([] { return udp_socket(destination("0.0.0.0", kServer)); });
    const LinkAddress own = scene.container.init.run([] { return link_address("ctr0"); });
    constexpr LinkAddress everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct Row {
        const char* name;
        LinkAddress link;
        const char* to;
        const char* outcome;
    };
    std::uint16_t port = 8200;
    for (const Row& row :
         {Row{"to the container", own, "10.77.0.2", "none"},
          Row{"to everybody on the link", everybody, "10.77.0.2", "EPERM, local+1"},
          Row{"to everybody in the network", own, "10.77.0.255", "EPERM, local+1"},
          Row{"to everybody", everybody, "255.255.255.255", "EPERM, local+1"}}) {
        INFO(row.name);
        const LinkAddress link = row.link;
        const char* to = row.to;
        const Token token = ++port;
        CHECK(error_name(host.run([=] {
                  return send_frame(link, to, static_cast<std::uint16_t>(token), token);
              })) == "none");
        CHECK(answer_counted(scene.container, server, token) == row.outcome);
    }
    CHECK(scene.container.init.run([=] { return ::close(server); }) == 0);
}

TEST_CASE("what comes over the container's own loopback makes no UDP peer, whatever it claims") {
    Scene& scene = Scene::own_network();
    const Destination self = destination("::1", kServer), claimed = destination("fd77::1", kClient);
    const auto answered_by = [&](Child& child) {
        return child.run([=] { return udp_socket(self); });
    };
    const int pretender = scene.outsider.run([=] { return udp_socket(claimed); });
    const int free = answered_by(scene.outsider);
    CHECK(error_name(scene.outsider.run([=] { return say_to(pretender, self, Token{1}); })) ==
          "none");
    CHECK(answer(scene.outsider, free, Token{1}) == "none");
    CHECK(scene.outsider.run([=] { return ::close(free); }) == 0);
    const int server = answered_by(scene.container.init);
    CHECK(error_name(scene.outsider.run([=] { return say_to(pretender, self, Token{2}); })) ==
          "none");
    CHECK(answer_counted(scene.container, server, Token{2}) == "EPERM, local+1");
    CHECK(scene.container.init.run([=] { return ::close(server); }) == 0);
    CHECK(scene.outsider.run([=] { return ::close(pretender); }) == 0);
}

// Every neighbour may claim such an address, so that what the host has of them since the start is
// as far away as others'.
TEST_CASE("who speaks from a link-local address that isn't known as the host's is no UDP peer") {
    Scene& scene = Scene::own_network();
    const NetworkNamespace& network = Laboratory::get().network.host;
    unsigned interface = 0;
    {
        const Visit visit(network);
        Netlink().add_address("host0", "fe80::77:3/64");
        interface = interface_index("host0");
    }
    Child client({.network = &network});
    const Destination unknown = destination("fe80::77:3", kClient, interface),
                      known = destination("fd77::1", kClient);
    const int server =
        scene.container.init.run([] { return udp_socket(destination("::", kServer)); });
    const Destination to = destination("fd77::2", kServer);
    for (const bool is_known : {true, false}) {
        INFO(is_known);
        const int speaker = client.run([=] { return udp_socket(is_known ? known : unknown); });
        const Token token = is_known ? 1 : 2;
        CHECK(error_name(client.run([=] { return say_to(speaker, to, token); })) == "none");
        const Heard heard = scene.container.init.run([=] { return hear(server); });
        CHECK(heard.token == token);
        const DenialCounts before = denials(scene.container.cgroup);
        // From where it was spoken to; the kernel would choose its own link-local address.
        CHECK(error_name(scene.container.init.run([=] {
                  return say_from(server, "fd77::2", heard.from, token);
              })) == (is_known ? "none" : "EPERM"));
        CHECK(change(before, denials(scene.container.cgroup)) ==
              (is_known ? "" : one_more(JAIL_REASON_LINK_LOCAL)));
        CHECK(client.run([=] { return ::close(speaker); }) == 0);
    }
    CHECK(scene.container.init.run([=] { return ::close(server); }) == 0);
}

}  // namespace
}  // namespace jail_ai::test
