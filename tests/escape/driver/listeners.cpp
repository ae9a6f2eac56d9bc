// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What listens on the host and on ext; see listeners.h.
#include "listeners.h"

#include <sys/socket.h>  // which older <linux/vm_sockets.h> does not include

#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>

#include "failure.h"

namespace escape {

namespace {

constexpr int multipath_tcp = 262;

int bound6(int type, int protocol, uint16_t at) {
    int fd = ::socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    int yes = 1;
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(at);
    if (fd >= 0 && (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
                    ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)))) {
        ::close(fd);
        return -1;
    }
    if (fd >= 0 && type == SOCK_STREAM && ::listen(fd, 64)) give_up("listen");
    return fd;
}

int abstract_socket(const std::string& name, int type) {
    int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path + 1);
    socklen_t length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) ||
        (type == SOCK_STREAM && ::listen(fd, 8)))
        give_up("bind an abstract socket");
    return fd;
}

}  // namespace

Listeners::Listeners(const Lab& lab) : abstract_("escape-" + std::to_string(::getpid()) + "-") {
    lab.within(lab.host(), [&] { open_host(); });
    lab.within(lab.ext(), [&] { open_ext(); });
    rejoin(lab);
}

void Listeners::add(Kind kind, int fd, const std::string& what) {
    if (fd < 0) give_up("listen for " + what);
    sockets_.push_back({kind, jail_ai::UniqueFd(fd)});
}

void Listeners::open_host() {
    int stream = bound6(SOCK_STREAM, multipath_tcp, port);
    add(Kind::host_stream, stream >= 0 ? stream : bound6(SOCK_STREAM, 0, port), "TCP");
    add(Kind::host_datagram, bound6(SOCK_DGRAM, 0, port), "UDP");
    add(Kind::host_reflector, bound6(SOCK_DGRAM, 0, reflector_port), "what to reflect");
    add(Kind::host_datagram, abstract_socket(abstract_ + "d", SOCK_DGRAM), "Unix datagrams");
    add(Kind::host_stream, abstract_socket(abstract_ + "s", SOCK_STREAM), "Unix streams");

    int netlink = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_USERSOCK);
    sockaddr_nl mine{};
    mine.nl_family = AF_NETLINK;
    socklen_t length = sizeof(mine);
    if (netlink < 0 || ::bind(netlink, reinterpret_cast<sockaddr*>(&mine), sizeof(mine)) ||
        ::getsockname(netlink, reinterpret_cast<sockaddr*>(&mine), &length))
        give_up("bind a netlink socket");
    netlink_port_ = mine.nl_pid;
    add(Kind::host_datagram, netlink, "netlink");

    // What this kernel may not have. Without the loopback transport, vsock would mean the
    // hypervisor.
    for (int protocol : {132 /* IPPROTO_SCTP */, 256 /* IPPROTO_SMC */})
        if (int fd = bound6(SOCK_STREAM, protocol, port); fd >= 0)
            add(Kind::host_stream, fd, "a further stream protocol");
    if (int fd = bound6(SOCK_DGRAM, IPPROTO_UDPLITE, port); fd >= 0)
        add(Kind::host_datagram, fd, "UDP-Lite");
    int vsock = ::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_vm local{};
    local.svm_family = AF_VSOCK;
    local.svm_cid = VMADDR_CID_LOCAL;
    local.svm_port = vsock_port;
    if (vsock >= 0 && ::access("/sys/module/vsock_loopback", F_OK) == 0 &&
        ::bind(vsock, reinterpret_cast<sockaddr*>(&local), sizeof(local)) == 0 &&
        ::listen(vsock, 8) == 0)
        add(Kind::host_stream, vsock, "vsock");
    else if (vsock >= 0)
        ::close(vsock);
    int qrtr = ::socket(AF_QIPCRTR, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_qrtr router{};
    length = sizeof(router);
    if (qrtr >= 0 && ::getsockname(qrtr, reinterpret_cast<sockaddr*>(&router), &length) == 0) {
        router.sq_port = vsock_port;
        if (::bind(qrtr, reinterpret_cast<sockaddr*>(&router), sizeof(router)) == 0)
            add(Kind::host_datagram, ::dup(qrtr), "qrtr");
    }
    if (qrtr >= 0) ::close(qrtr);
}

void Listeners::open_ext() {
    int stream = bound6(SOCK_STREAM, multipath_tcp, port);
    add(Kind::ext_stream, stream >= 0 ? stream : bound6(SOCK_STREAM, 0, port), "TCP on ext");
    add(Kind::ext_datagram, bound6(SOCK_DGRAM, 0, port), "UDP on ext");
    add(Kind::ext_echo, bound6(SOCK_DGRAM, 0, echo_port), "UDP echo on ext");
    add(Kind::ext_forger, bound6(SOCK_DGRAM, 0, forger_port), "orders on ext");
    forge_ = jail_ai::UniqueFd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!forge_) give_up("open a raw socket on ext");
}

// An order of routes/memory.c. "announce": the host is to speak to its group. Otherwise destination
// address and source and destination port, in network order. The answer claims to be the host's.
void Listeners::forge(const Bytes& order) {
    if (order.size() == 8) {
        sockaddr_in group{};
        group.sin_family = AF_INET;
        group.sin_port = htons(20700);
        group.sin_addr.s_addr = htonl(0xefff0002);
        if (::sendto(announcer_.get(), "announcement", 12, 0, reinterpret_cast<sockaddr*>(&group),
                     sizeof(group)) < 0)
            give_up("announce");
        return;
    }
    if (order.size() != 20) return;
    static constexpr uint8_t host[16] = {0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    Bytes packet = {0x60, 0, 0, 0, 0, 12, IPPROTO_UDP, 64};
    packet.insert(packet.end(), host, host + 16);
    packet.insert(packet.end(), order.begin(), order.begin() + 16);
    packet.insert(packet.end(), order.begin() + 16, order.end());
    packet.insert(packet.end(), {0, 12, 0, 0, 'h', 'o', 's', 't'});
    uint32_t sum = IPPROTO_UDP + 12;
    for (size_t at = 8; at < packet.size(); at += 2)
        sum += static_cast<uint32_t>(packet[at] << 8 | packet[at + 1]);
    while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
    packet[46] = static_cast<uint8_t>(~sum >> 8);
    packet[47] = static_cast<uint8_t>(~sum);
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, order.data(), 16);
    if (::sendto(forge_.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to),
                 sizeof(to)) < 0)
        give_up("forge a datagram");
}

void Listeners::rejoin(const Lab& lab) {
    std::erase_if(sockets_, [](const Socket& socket) { return socket.kind == Kind::host_group; });
    lab.within(lab.host(), [&] {
        int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int yes = 1;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(0xefff0001);
        bool joined = ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
                      ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
        for (const std::string& link : std::set<std::string>{lab.world().host_link(), "hx"}) {
            ip_mreqn group{};
            group.imr_multiaddr = address.sin_addr;
            group.imr_ifindex = static_cast<int>(::if_nametoindex(link.c_str()));
            joined = joined &&
                     ::setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0;
        }
        if (!joined) give_up("join a group");
        ip_mreqn link{};
        link.imr_ifindex = static_cast<int>(::if_nametoindex(lab.world().host_link()));
        announcer_ = jail_ai::UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (!announcer_ ||
            ::setsockopt(announcer_.get(), IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof(link)))
            give_up("open the announcer");
        add(Kind::host_group, fd, "a group");
    });
}

void Listeners::append_to(std::vector<pollfd>& fds) const {
    for (const Socket& socket : sockets_) fds.push_back({socket.fd.get(), POLLIN, 0});
}

void Listeners::serve() {
    Bytes buffer(1 << 17);
    std::vector<Socket> fresh;
    for (Socket& socket : sockets_) {
        if (socket.kind == Kind::host_stream || socket.kind == Kind::ext_stream) {
            Kind kind =
                socket.kind == Kind::host_stream ? Kind::host_connection : Kind::ext_connection;
            for (int fd; (fd = ::accept4(socket.fd.get(), nullptr, nullptr,
                                         SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
                linger reset{1, 0};
                ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
                fresh.push_back({kind, jail_ai::UniqueFd(fd)});
            }
            continue;
        }
        bool connection =
            socket.kind == Kind::host_connection || socket.kind == Kind::ext_connection;
        for (;;) {
            sockaddr_storage from{};
            socklen_t length = sizeof(from);
            ssize_t size = ::recvfrom(socket.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                      reinterpret_cast<sockaddr*>(&from), &length);
            if (size < 0 && errno == EAGAIN) break;
            if (size <= 0 && connection) {
                socket.fd.reset();
                break;
            }
            if (size < 0) continue;  // an ICMP error that was waiting
            if (socket.kind == Kind::host_datagram || socket.kind == Kind::host_group ||
                socket.kind == Kind::host_connection)
                received_.emplace_back(buffer.begin(), buffer.begin() + size);
            if (socket.kind == Kind::ext_forger)
                forge(Bytes(buffer.begin(), buffer.begin() + size));
            if (socket.kind == Kind::host_reflector)
                std::transform(buffer.begin(), buffer.begin() + size, buffer.begin(),
                               [](uint8_t byte) { return static_cast<uint8_t>(~byte); });
            if (socket.kind == Kind::ext_echo || socket.kind == Kind::host_reflector)
                ::sendto(socket.fd.get(), buffer.data(), static_cast<size_t>(size), 0,
                         reinterpret_cast<sockaddr*>(&from), length);
        }
    }
    std::erase_if(sockets_, [](const Socket& socket) { return !socket.fd; });
    std::move(fresh.begin(), fresh.end(), std::back_inserter(sockets_));
}

bool Listeners::host_received(const Bytes& token) const {
    return std::any_of(received_.begin(), received_.end(),
                       [&](const Bytes& bytes) { return contains(bytes, token); });
}

void Listeners::forget() {
    received_.clear();
    std::erase_if(sockets_, [](const Socket& socket) {
        return socket.kind == Kind::host_connection || socket.kind == Kind::ext_connection;
    });
}

}  // namespace escape
