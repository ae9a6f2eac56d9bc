// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Just enough rtnetlink; see netlink.h.
#include "netlink.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "failure.h"

namespace escape::netlink {

namespace {

using jail_ai::UniqueFd;

class Message {
public:
    Message(uint16_t type, uint16_t flags) {
        nlmsghdr header{};
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        append(&header, sizeof(header));
    }

    void append(const void* data, size_t size) {
        const auto* from = static_cast<const uint8_t*>(data);
        bytes_.insert(bytes_.end(), from, from + size);
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    }
    void attribute(uint16_t type, const void* data, size_t size) {
        rtattr header{static_cast<unsigned short>(RTA_LENGTH(size)), type};
        append(&header, sizeof(header));
        append(data, size);
    }
    void text(uint16_t type, const std::string& value) { attribute(type, value.c_str(), value.size() + 1); }
    void number(uint16_t type, uint32_t value) { attribute(type, &value, sizeof(value)); }

    size_t begin(uint16_t type) {
        size_t at = bytes_.size();
        attribute(type, nullptr, 0);
        return at;
    }
    void end(size_t at) {
        rtattr header{};
        std::memcpy(&header, bytes_.data() + at, sizeof(header));
        header.rta_len = static_cast<unsigned short>(bytes_.size() - at);
        std::memcpy(bytes_.data() + at, &header, sizeof(header));
    }

    // Sends it and waits for the kernel's answer.
    void ask(const std::string& doing) {
        uint32_t length = static_cast<uint32_t>(bytes_.size());
        std::memcpy(bytes_.data(), &length, sizeof(length));
        UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
        char answer[4096];
        if (!fd || ::send(fd.get(), bytes_.data(), bytes_.size(), 0) < 0 || ::recv(fd.get(), answer, sizeof(answer), 0) < 0) give_up(doing);
        nlmsgerr error{};
        std::memcpy(&error, answer + sizeof(nlmsghdr), sizeof(error));
        if (error.error != 0) {
            errno = -error.error;
            give_up(doing);
        }
    }

private:
    std::vector<uint8_t> bytes_;
};

std::vector<uint8_t> mac_bytes(const std::string& mac) {
    std::vector<uint8_t> bytes;
    for (size_t at = 0; at < mac.size(); at += 3) bytes.push_back(static_cast<uint8_t>(std::stoul(mac.substr(at, 2), nullptr, 16)));
    return bytes;
}

struct Address {
    uint8_t family;
    std::vector<uint8_t> bytes;
};

Address parse(const std::string& text) {
    Address address{static_cast<uint8_t>(text.find(':') == std::string::npos ? AF_INET : AF_INET6), {}};
    address.bytes.resize(address.family == AF_INET ? 4 : 16);
    if (::inet_pton(address.family, text.c_str(), address.bytes.data()) != 1) give_up("parse address " + text);
    return address;
}

}  // namespace

void add_veth(const std::string& name, const std::string& mac, int peer_netns, const std::string& peer, const std::string& peer_mac) {
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    ifinfomsg link{};
    message.append(&link, sizeof(link));
    message.text(IFLA_IFNAME, name);
    message.attribute(IFLA_ADDRESS, mac_bytes(mac).data(), 6);
    size_t info = message.begin(IFLA_LINKINFO);
    message.text(IFLA_INFO_KIND, "veth");
    size_t data = message.begin(IFLA_INFO_DATA);
    size_t other = message.begin(VETH_INFO_PEER);
    message.append(&link, sizeof(link));
    message.text(IFLA_IFNAME, peer);
    message.attribute(IFLA_ADDRESS, mac_bytes(peer_mac).data(), 6);
    message.number(IFLA_NET_NS_FD, static_cast<uint32_t>(peer_netns));
    message.end(other);
    message.end(data);
    message.end(info);
    message.ask("add veth " + name);
}

void add_bridge(const std::string& name, const std::string& mac) {
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    ifinfomsg link{};
    message.append(&link, sizeof(link));
    message.text(IFLA_IFNAME, name);
    message.attribute(IFLA_ADDRESS, mac_bytes(mac).data(), 6);
    size_t info = message.begin(IFLA_LINKINFO);
    message.text(IFLA_INFO_KIND, "bridge");
    size_t data = message.begin(IFLA_INFO_DATA);
    uint8_t off = 0;
    message.attribute(IFLA_BR_MCAST_SNOOPING, &off, sizeof(off));
    message.end(data);
    message.end(info);
    message.ask("add bridge " + name);
}

void add_to(const std::string& name, const std::string& master) {
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
    message.append(&link, sizeof(link));
    message.number(IFLA_MASTER, ::if_nametoindex(master.c_str()));
    message.ask("add " + name + " to " + master);
}

namespace {

// One of the links that share their parent's wire. Without a MAC address (empty) it has the parent's.
void add_sibling(const char* kind, uint16_t mode_attribute, const void* mode, size_t mode_size, const std::string& name, const std::string& mac,
                 const std::string& parent, int netns) {
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    ifinfomsg link{};
    message.append(&link, sizeof(link));
    message.text(IFLA_IFNAME, name);
    if (!mac.empty()) message.attribute(IFLA_ADDRESS, mac_bytes(mac).data(), 6);
    message.number(IFLA_LINK, ::if_nametoindex(parent.c_str()));
    if (netns >= 0) message.number(IFLA_NET_NS_FD, static_cast<uint32_t>(netns));
    size_t info = message.begin(IFLA_LINKINFO);
    message.text(IFLA_INFO_KIND, kind);
    size_t data = message.begin(IFLA_INFO_DATA);
    message.attribute(mode_attribute, mode, mode_size);
    message.end(data);
    message.end(info);
    message.ask("add " + std::string(kind) + " " + name);
}

}  // namespace

void add_macvlan(const std::string& name, const std::string& mac, const std::string& parent, int netns) {
    uint32_t mode = MACVLAN_MODE_BRIDGE;
    add_sibling("macvlan", IFLA_MACVLAN_MODE, &mode, sizeof(mode), name, mac, parent, netns);
}

void add_ipvlan(const std::string& name, const std::string& parent, int netns) {
    uint16_t mode = IPVLAN_MODE_L2;
    add_sibling("ipvlan", IFLA_IPVLAN_MODE, &mode, sizeof(mode), name, "", parent, netns);
}

void delete_link(const std::string& name) {
    if (::if_nametoindex(name.c_str()) == 0) return;
    Message message(RTM_DELLINK, 0);
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
    message.append(&link, sizeof(link));
    message.ask("delete link " + name);
}

void set_up(const std::string& name) {
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
    link.ifi_flags = IFF_UP;
    link.ifi_change = IFF_UP;
    message.append(&link, sizeof(link));
    message.ask("set up link " + name);
}

void wait_until_running(const std::string& name) {
    constexpr int patience_ms = 3000;
    UniqueFd events(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl changes{};
    changes.nl_family = AF_NETLINK;
    changes.nl_groups = RTMGRP_LINK;
    struct {
        nlmsghdr header;
        ifinfomsg link;
    } request{};
    request.header = {sizeof(request), RTM_GETLINK, NLM_F_REQUEST, 0, 0};
    request.link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
    if (!events || ::bind(events.get(), reinterpret_cast<sockaddr*>(&changes), sizeof(changes)) ||
        ::send(events.get(), &request, sizeof(request), 0) < 0)
        give_up("ask for link " + name);
    for (;;) {
        alignas(nlmsghdr) char answer[8192];
        ssize_t size = ::recv(events.get(), answer, sizeof(answer), 0);
        pollfd ready{events.get(), POLLIN, 0};
        if (size < 0) {
            errno = ETIMEDOUT;
            if (::poll(&ready, 1, patience_ms) == 0) give_up("wait for link " + name);
            continue;
        }
        nlmsghdr message{};
        for (size_t at = 0; at + sizeof(request) <= static_cast<size_t>(size); at += NLMSG_ALIGN(message.nlmsg_len)) {
            ifinfomsg link{};
            std::memcpy(&message, answer + at, sizeof(message));
            std::memcpy(&link, answer + at + NLMSG_HDRLEN, sizeof(link));
            if (message.nlmsg_type == RTM_NEWLINK && link.ifi_index == request.link.ifi_index && (link.ifi_flags & IFF_RUNNING) != 0) return;
        }
    }
}

bool wait_until_there(const std::string& name, int maker) {
    constexpr int patience_ms = 10000;
    UniqueFd events(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl changes{};
    changes.nl_family = AF_NETLINK;
    changes.nl_groups = RTMGRP_LINK;
    if (!events || ::bind(events.get(), reinterpret_cast<sockaddr*>(&changes), sizeof(changes))) give_up("wait for link " + name);
    while (::if_nametoindex(name.c_str()) == 0) {
        pollfd ready[] = {{events.get(), POLLIN, 0}, {maker, POLLIN, 0}};
        char event[8192];
        errno = ETIMEDOUT;
        if (::poll(ready, 2, patience_ms) == 0) give_up("wait for link " + name);
        if (ready[1].revents != 0) return false;
        while (::recv(events.get(), event, sizeof(event), 0) > 0) {
        }
    }
    return true;
}

void set_mtu(const std::string& name, int bytes) {
    Message message(RTM_NEWLINK, 0);
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
    message.append(&link, sizeof(link));
    message.number(IFLA_MTU, static_cast<uint32_t>(bytes));
    message.ask("set the MTU of link " + name);
}

void add_address(const std::string& name, const std::string& text) {
    size_t slash = text.find('/');
    Address address = parse(text.substr(0, slash));
    Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    ifaddrmsg header{};
    header.ifa_family = address.family;
    header.ifa_prefixlen = static_cast<uint8_t>(std::stoul(text.substr(slash + 1)));
    header.ifa_index = ::if_nametoindex(name.c_str());
    header.ifa_flags = IFA_F_NODAD;
    message.append(&header, sizeof(header));
    message.attribute(IFA_LOCAL, address.bytes.data(), address.bytes.size());
    message.attribute(IFA_ADDRESS, address.bytes.data(), address.bytes.size());
    if (address.family == AF_INET && header.ifa_prefixlen == 24) {
        std::vector<uint8_t> broadcast = address.bytes;
        broadcast[3] = 255;
        message.attribute(IFA_BROADCAST, broadcast.data(), broadcast.size());
    }
    message.ask("add address " + text + " to " + name);
}

void add_neighbour(const std::string& name, const std::string& text, const std::string& mac) {
    Address address = parse(text);
    Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    ndmsg neighbour{};
    neighbour.ndm_family = address.family;
    neighbour.ndm_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
    neighbour.ndm_state = NUD_PERMANENT;
    message.append(&neighbour, sizeof(neighbour));
    message.attribute(NDA_DST, address.bytes.data(), address.bytes.size());
    message.attribute(NDA_LLADDR, mac_bytes(mac).data(), 6);
    message.ask("add neighbour " + text);
}

void add_default_route(const std::string& gateway) {
    Address address = parse(gateway);
    Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    rtmsg route{};
    route.rtm_family = address.family;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_STATIC;
    route.rtm_scope = RT_SCOPE_UNIVERSE;
    route.rtm_type = RTN_UNICAST;
    message.append(&route, sizeof(route));
    message.attribute(RTA_GATEWAY, address.bytes.data(), address.bytes.size());
    message.ask("add default route by " + gateway);
}

}  // namespace escape::netlink
