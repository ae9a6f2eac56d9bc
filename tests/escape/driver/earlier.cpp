// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "earlier.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>

#include "failure.h"
#include "sender.h"
#include "talk.h"

namespace escape {

namespace {

using jail_ai::UniqueFd;

struct Kind {
    const char* route;
    int type, protocol;
    const char* World::*address;
};

constexpr std::array kinds = {
    Kind{"before/tcp-v4", SOCK_STREAM, 0, &World::host4},
    Kind{"before/tcp-v6", SOCK_STREAM, 0, &World::host6},
    Kind{"before/udp-v4", SOCK_DGRAM, 0, &World::host4},
    Kind{"before/udp-v6", SOCK_DGRAM, 0, &World::host6},
    Kind{"before/ping-v4", SOCK_DGRAM, IPPROTO_ICMP, &World::host4},
    Kind{"before/raw-v4", SOCK_RAW, 253, &World::host4},
    Kind{"before/raw-v6", SOCK_RAW, 253, &World::host6},
};
constexpr uint64_t net_raw = uint64_t{1} << 13;  // capabilities(7)

// 0 of none, as a raw socket's.
uint16_t port_of(const UniqueFd& server) {
    Endpoint own;
    return ::getsockname(server.get(), own.get(), &own.length) == 0
               ? ntohs(reinterpret_cast<sockaddr_in6*>(own.get())->sin6_port)
               : uint16_t{0};
}

int connected(const Kind& kind, const World& world, const UniqueFd& server) {
    Endpoint host(world.*kind.address, port_of(server));
    UniqueFd fd = open_client(host.family(), kind.type, kind.protocol);
    return fd && ::connect(fd.get(), host.get(), host.length) == 0 ? fd.release() : -1;
}

}  // namespace

EarlierSockets::EarlierSockets(const Lab& lab, const Cgroup& cgroup) {
    lab.within(lab.host(), [&] {
        stream_ = open_server(Endpoint("::", 0), SOCK_STREAM);
        datagrams_ = open_server(Endpoint("::", 0), SOCK_DGRAM);
    });
    int made[2], taken[2];
    if (!stream_ || !datagrams_ || ::pipe2(made, O_CLOEXEC) || ::pipe2(taken, O_CLOEXEC))
        give_up("prepare for earlier sockets");
    std::array<int, kinds.size()> numbers;
    pid_t owner = start_in({&cgroup, lab.container(), net_raw}, [&] {
        ::close(taken[1]);
        const UniqueFd nobody;
        for (size_t i = 0; i < kinds.size(); i++)
            numbers[i] = connected(kinds[i], lab.world(),
                                   kinds[i].protocol != 0         ? nobody
                                   : kinds[i].type == SOCK_STREAM ? stream_
                                                                  : datagrams_);
        char byte;
        return ::write(made[1], numbers.data(), sizeof(numbers)) == sizeof(numbers) &&
                       ::read(taken[0], &byte, 1) == 0
                   ? 0
                   : 1;
    });
    ::close(made[1]);
    ::close(taken[0]);
    UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, owner, 0)));
    if (::read(made[0], numbers.data(), sizeof(numbers)) != sizeof(numbers))
        give_up("make earlier sockets");
    for (size_t i = 0; i < kinds.size(); i++) {
        if (numbers[i] < 0) continue;
        UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), numbers[i], 0)));
        if (!fd) give_up("take an earlier socket");
        sockets_[kinds[i].route] = std::move(fd);
    }
    ::close(made[0]);
    ::close(taken[1]);
    if (finish(owner) != 0) give_up("make earlier sockets");
}

UniqueFd EarlierSockets::take(const std::string& route) {
    auto found = sockets_.find(route);
    return found == sockets_.end() ? UniqueFd() : std::move(found->second);
}

}  // namespace escape
