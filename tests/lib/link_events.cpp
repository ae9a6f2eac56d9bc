// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "link_events.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sstream>

#include "base/unique_fd.h"
#include "files.h"
#include "must.h"
#include "netlink.h"

namespace jail_ai::test {
namespace {

constexpr int kPatienceMs = 10'000;

UniqueFd listen_for(std::uint32_t groups) {
    UniqueFd events(
        must(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE),
             "open rtnetlink"));
    sockaddr_nl changes{};
    changes.nl_family = AF_NETLINK;
    changes.nl_groups = groups;
    must(::bind(events.get(), reinterpret_cast<sockaddr*>(&changes), sizeof changes),
         "listen for links");
    return events;
}

void time_out(const std::string& interface) {
    errno = ETIMEDOUT;
    throw_errno("wait for link " + interface);
}

}  // namespace

void wait_until_running(const std::string& interface) {
    const UniqueFd events = listen_for(RTMGRP_LINK);
    struct {
        nlmsghdr header;
        ifinfomsg link;
    } request{};
    request.header = {sizeof request, RTM_GETLINK, NLM_F_REQUEST, 0, 0};
    request.link.ifi_index = static_cast<int>(interface_index(interface));
    must(::send(events.get(), &request, sizeof request, 0), "ask for link " + interface);
    for (;;) {
        alignas(nlmsghdr) char answer[8192];
        const ssize_t size = ::recv(events.get(), answer, sizeof answer, 0);
        pollfd ready{events.get(), POLLIN, 0};
        if (size < 0) {
            if (::poll(&ready, 1, kPatienceMs) == 0) time_out(interface);
            continue;
        }
        nlmsghdr message{};
        for (std::size_t at = 0; at + sizeof request <= static_cast<std::size_t>(size);
             at += NLMSG_ALIGN(message.nlmsg_len)) {
            ifinfomsg link{};
            std::memcpy(&message, answer + at, sizeof message);
            std::memcpy(&link, answer + at + NLMSG_HDRLEN, sizeof link);
            if (message.nlmsg_type == RTM_NEWLINK && link.ifi_index == request.link.ifi_index &&
                (link.ifi_flags & IFF_RUNNING) != 0)
                return;
        }
    }
}

bool wait_until_there(const std::string& interface, int maker) {
    const UniqueFd events = listen_for(RTMGRP_LINK);
    while (::if_nametoindex(interface.c_str()) == 0) {
        pollfd ready[] = {{events.get(), POLLIN, 0}, {maker, POLLIN, 0}};
        if (::poll(ready, 2, kPatienceMs) == 0) time_out(interface);
        if (ready[1].revents != 0) return false;
        char event[8192];
        while (::recv(events.get(), event, sizeof event, 0) > 0) {
        }
    }
    return true;
}

void wait_until_link_local(const std::string& interface) {
    const UniqueFd events = listen_for(RTMGRP_IPV6_IFADDR);
    const auto is_its_own = [&](const std::string& line) {
        return line.starts_with("fe80") && line.ends_with(' ' + interface);
    };
    for (;;) {
        std::istringstream addresses(read_file("/proc/thread-self/net/if_inet6"));
        for (std::string line; std::getline(addresses, line);)
            if (is_its_own(line)) return;
        pollfd ready{events.get(), POLLIN, 0};
        if (::poll(&ready, 1, kPatienceMs) == 0) time_out(interface);
        char event[8192];
        while (::recv(events.get(), event, sizeof event, 0) > 0) {
        }
    }
}

}  // namespace jail_ai::test
