// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Addresses that mean "myself" in every network namespace: inside of the container they are the
// container's, and a host that takes them from a device (route_localnet) is reached by whoever
// makes them leave by one.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "files.h"
#include "must.h"
#include "scene.h"

namespace jail_ai::test {
namespace {

constexpr int kBindToIfindex = 62;  // SO_BINDTOIFINDEX, Linux 5.1

enum class Exit { device, device_connected, ifindex, unicast_if, pktinfo, udp_lite, none };

struct Leaving {
    const char* name;
    Exit by;
    const char* to;
};
constexpr Leaving kLeaving[] = {
    {"bound to a device", Exit::device, "127.0.0.1"},
    {"bound to a device, another address", Exit::device, "127.9.9.9"},
    {"bound to a device, mapped", Exit::device, "::ffff:127.0.0.1"},
    {"bound to a device, connected", Exit::device_connected, "127.0.0.1"},
    {"bound to a device, connected, mapped", Exit::device_connected, "::ffff:127.0.0.1"},
    {"bound to an index", Exit::ifindex, "127.0.0.1"},
    {"IP_UNICAST_IF", Exit::unicast_if, "127.0.0.1"},
    {"IP_PKTINFO", Exit::pktinfo, "127.0.0.1"},
    {"UDP-Lite", Exit::udp_lite, "127.0.0.1"},
};

int send_by_pktinfo(int socket, const Destination& to, int interface, Token token) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))] = {};
    iovec vector{&token, sizeof token};
    msghdr header{};
    Destination copy = to;
    header.msg_name = &copy.address;
    header.msg_namelen = copy.length;
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = IPPROTO_IP;
    message->cmsg_type = IP_PKTINFO;
    message->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    info.ipi_ifindex = interface;
    std::memcpy(CMSG_DATA(message), &info, sizeof info);
    return ::sendmsg(socket, &header, 0) < 0 ? errno : 0;
}

// 0 or an errno; EPROTONOSUPPORT where the kernel has no such socket.
int leave(Exit by, const Destination& to, unsigned interface, Token token) {
    const int protocol = by == Exit::udp_lite ? IPPROTO_UDPLITE : 0;
    const UniqueFd socket(::socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, protocol));
    if (!socket) return errno;
    const int index = static_cast<int>(interface);
    const int in_network_order = static_cast<int>(htonl(interface));
    if (by == Exit::unicast_if)
        must(::setsockopt(socket.get(), IPPROTO_IP, IP_UNICAST_IF, &in_network_order,
                          sizeof in_network_order),
             "choose a device");
    else if (by == Exit::ifindex)
        must(::setsockopt(socket.get(), SOL_SOCKET, kBindToIfindex, &index, sizeof index),
             "bind to an index");
    else if (by != Exit::pktinfo && by != Exit::none)
        must(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, "ctr0", 4),
             "bind to a device");
    if (by == Exit::pktinfo) return send_by_pktinfo(socket.get(), to, index, token);
    if (by != Exit::device_connected)
        return ::sendto(socket.get(), &token, sizeof token, 0, to.get(), to.length) < 0 ? errno : 0;
    if (::connect(socket.get(), to.get(), to.length) != 0) return errno;
    return ::send(socket.get(), &token, sizeof token, 0) < 0 ? errno : 0;
}

// A host as every podman bridge makes it since netavark 1.17.
class TakesLoopback {
public:
    TakesLoopback() { set("1"); }
    ~TakesLoopback() { set("0"); }
    TakesLoopback(const TakesLoopback&) = delete;
    TakesLoopback& operator=(const TakesLoopback&) = delete;

private:
    static void set(const char* value) {
        const Visit visit(Laboratory::get().network.host);
        write_file("/proc/sys/net/ipv4/conf/host0/route_localnet", value);
    }
};

TEST_CASE("loopback: what leaves by a device is denied, however that is said") {
    const TakesLoopback host;
    Scene& scene = Scene::own_network();
    Witness& witness = Laboratory::get().network.witness;
    const unsigned interface = Laboratory::get().network.container_interface;
    for (const Leaving& row : kLeaving) {
        INFO(row.name);
        const Exit by = row.by;
        const Destination to = destination(row.to, kPort);
        const Token free = fresh_token(), jailed = fresh_token();
        const int control = scene.outsider.run([=] { return leave(by, to, interface, free); });
        if (control == EPROTONOSUPPORT) continue;  // UDP-Lite has gone from Linux
        CHECK(error_name(control) == "none");
        if (by != Exit::udp_lite)
            CHECK(arrival(free, Place::host) == "host");  // nobody listens for that
        const DenialCounts before = denials(scene.container.cgroup);
        CHECK(error_name(scene.container.init.run(
                  [=] { return leave(by, to, interface, jailed); })) == "EPERM");
        CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOOPBACK));
        CHECK_FALSE(witness.has_seen(jailed));
    }
}

TEST_CASE("loopback: TCP that leaves by a device fails at once") {
    const TakesLoopback host;
    Scene& scene = Scene::own_network();
    for (const char* address : {"127.0.0.1", "::ffff:127.0.0.1", "::1"}) {
        INFO(std::string(address));
        const Destination to = destination(address, kPort);
        const DenialCounts before = denials(scene.container.cgroup);
        CHECK(error_name(scene.container.init.run([=] {
                  const UniqueFd socket(
                      must(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "open a socket"));
                  must(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, "ctr0", 4),
                       "bind to a device");
                  return ::connect(socket.get(), to.get(), to.length) != 0 ? errno : 0;
              })) == "EPERM");
        CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOOPBACK));
    }
}

TEST_CASE("loopback: inside of the container it works as ever, and nothing is counted") {
    Scene& scene = Scene::own_network();
    for (const char* address :
         {"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"}) {
        for (const Way way : {Way::tcp_connect, Way::udp_connect, Way::udp_sendto}) {
            INFO((name_of(way) + " to " + address));
            scene.expect_passes(way, destination(address, kPort), Place::container);
        }
    }
}

// A source of the container's loopback would make somebody answer their own.
TEST_CASE("loopback: nothing leaves that claims to come from it") {
    Scene& scene = Scene::own_network();
    const Destination internet = destination("fd78::2", kPort);
    const Token token = fresh_token();
    const DenialCounts before = denials(scene.container.cgroup);
    CHECK(error_name(scene.container.init.run([=] {
              const UniqueFd socket(
                  must(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
              const Destination self = destination("::1", 0);
              must(::bind(socket.get(), self.get(), self.length), "bind to loopback");
              return ::sendto(socket.get(), &token, sizeof token, 0, internet.get(),
                              internet.length) < 0
                         ? errno
                         : 0;
          })) == "EPERM");
    CHECK(change(before, denials(scene.container.cgroup)) ==
          one_more(JAIL_REASON_MALFORMED_PACKET));
    CHECK_FALSE(Laboratory::get().network.witness.has_seen(token));
}

}  // namespace
}  // namespace jail_ai::test
