// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "address_listener.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <stdexcept>

#include "must.h"
#include "pipe.h"

namespace jail_ai::bench {
namespace {

using test::must;
using Clock = std::chrono::steady_clock;

UniqueFd open_group(const test::NetworkNamespace& network) {
    const test::Visit visit(network);
    UniqueFd socket(
        must(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open rtnetlink"));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV4_IFADDR;
    must(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
         "bind to rtnetlink");
    return socket;
}

[[noreturn]] void listen(int socket, int to) {
    for (;;) {
        alignas(nlmsghdr) char message[8192];
        const ssize_t got = ::recv(socket, message, sizeof message, 0);
        const auto now = Clock::now();
        if (got < NLMSG_HDRLEN) ::_exit(1);
        if (reinterpret_cast<const nlmsghdr*>(message)->nlmsg_type != RTM_NEWADDR) continue;
        if (::write(to, &now, sizeof now) != sizeof now) ::_exit(1);
    }
}

}  // namespace

AddressListener::AddressListener(const test::NetworkNamespace& network) {
    test::Pipe pipe;
    const UniqueFd socket = open_group(network);
    pid_ = must(::fork(), "start a listener");
    if (pid_ == 0) listen(socket.get(), pipe.writer.get());
    from_ = std::move(pipe.reader);
}

AddressListener::~AddressListener() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

Clock::time_point AddressListener::heard() {
    constexpr int patience_ms = 5000;
    pollfd polled{from_.get(), POLLIN, 0};
    if (must(::poll(&polled, 1, patience_ms), "wait for the listener") == 0)
        throw std::runtime_error("the listener hears nothing");
    Clock::time_point when;
    if (must(::read(from_.get(), &when, sizeof when), "ask the listener") != sizeof when)
        throw std::runtime_error("the listener has ended");
    return when;
}

}  // namespace jail_ai::bench
