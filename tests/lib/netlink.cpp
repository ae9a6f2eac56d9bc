// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "netlink.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cstring>

#include "must.h"

namespace jail_ai::test {

// A request under construction: header, fixed part, attributes. Lengths are patched when a nest or
// the message is closed.
class Netlink::Message {
public:
    template <typename Fixed>
    Message(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
        nlmsghdr header{};
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        append(&header, sizeof header);
        append(&fixed, sizeof fixed);
    }

    void append(const void* data, std::size_t size) {
        bytes_.append(static_cast<const char*>(data), size);
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    }
    void attribute(unsigned short type, const void* data, std::size_t size) {
        const rtattr header{static_cast<unsigned short>(RTA_LENGTH(size)), type};
        append(&header, sizeof header);
        append(data, size);
    }
    void attribute(unsigned short type, const std::string& text) {
        attribute(type, text.c_str(), text.size() + 1);
    }
    void attribute(unsigned short type, std::uint32_t number) {
        attribute(type, &number, sizeof number);
    }
    void attribute(unsigned short type, const IpAddress& ip) {
        attribute(type, ip.bytes.data(), ip.size());
    }
    void hardware_address(unsigned short type, const std::string& mac) {
        std::string bytes;
        for (std::size_t at = 0; at < mac.size(); at += 3)
            bytes.push_back(static_cast<char>(std::stoul(mac.substr(at, 2), nullptr, 16)));
        if (!bytes.empty()) attribute(type, bytes.data(), bytes.size());
    }

    std::size_t open_nest(unsigned short type) {
        const std::size_t at = bytes_.size();
        attribute(type, nullptr, 0);
        return at;
    }
    void close_nest(std::size_t at) {
        const auto length = static_cast<unsigned short>(bytes_.size() - at);
        std::memcpy(&bytes_[at + offsetof(rtattr, rta_len)], &length, sizeof length);
    }

    std::string finish(unsigned sequence, bool acknowledge) {
        nlmsghdr header{};
        std::memcpy(&header, bytes_.data(), sizeof header);
        header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
        header.nlmsg_seq = sequence;
        if (acknowledge) header.nlmsg_flags |= NLM_F_ACK;
        std::memcpy(bytes_.data(), &header, sizeof header);
        return bytes_;
    }

private:
    std::string bytes_;
};

Netlink::Netlink()
    : socket_(
          must(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "open rtnetlink")) {}

// The last of the messages asks for an acknowledgement; the ones before it answer only when they
// fail.
void Netlink::send_and_confirm(const std::string& messages, const std::string& doing) {
    must(::send(socket_.get(), messages.data(), messages.size(), 0), doing);
    for (;;) {
        alignas(nlmsghdr) char answer[8192];
        const ssize_t got = must(::recv(socket_.get(), answer, sizeof answer, 0), doing);
        auto left = static_cast<std::uint32_t>(got);
        for (auto* header = reinterpret_cast<nlmsghdr*>(answer); NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type != NLMSG_ERROR) continue;
            const auto* error = reinterpret_cast<const nlmsgerr*>(
                reinterpret_cast<const char*>(header) + NLMSG_HDRLEN);
            if (error->error != 0) {
                errno = -error->error;
                throw_errno(doing);
            }
            if (header->nlmsg_seq == sequence_) return;
        }
    }
}

void Netlink::request(Message& message, const std::string& doing) {
    send_and_confirm(message.finish(++sequence_, true), doing);
}

void Netlink::add_veth(const std::string& name, const std::string& peer, int peer_netns,
                       const std::string& mac, const std::string& peer_mac) {
    const ifinfomsg link{};
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link);
    message.attribute(IFLA_IFNAME, name);
    message.hardware_address(IFLA_ADDRESS, mac);
    const std::size_t info = message.open_nest(IFLA_LINKINFO);
    message.attribute(IFLA_INFO_KIND, std::string("veth"));
    const std::size_t data = message.open_nest(IFLA_INFO_DATA);
    const std::size_t other = message.open_nest(VETH_INFO_PEER);
    message.append(&link, sizeof link);
    message.attribute(IFLA_IFNAME, peer);
    message.hardware_address(IFLA_ADDRESS, peer_mac);
    message.attribute(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_netns));
    message.close_nest(other);
    message.close_nest(data);
    message.close_nest(info);
    request(message, "add veth " + name);
}

void Netlink::add_link(const LinkKind& kind, const std::string& name) {
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
    message.attribute(IFLA_IFNAME, name);
    message.hardware_address(IFLA_ADDRESS, kind.mac);
    if (kind.below != 0) message.attribute(IFLA_LINK, kind.below);
    if (kind.netns >= 0) message.attribute(IFLA_NET_NS_FD, static_cast<std::uint32_t>(kind.netns));
    const std::size_t info = message.open_nest(IFLA_LINKINFO);
    message.attribute(IFLA_INFO_KIND, std::string(kind.name));
    const std::size_t data = message.open_nest(IFLA_INFO_DATA);
    if (kind.option_size != 0) message.attribute(kind.option, kind.value, kind.option_size);
    message.close_nest(data);
    message.close_nest(info);
    request(message, std::string("add ") + kind.name + " " + name);
}

void Netlink::add_link(const std::string& name, const char* kind, unsigned below) {
    add_link({kind, "", below, -1, 0, nullptr, 0}, name);
}

void Netlink::add_bridge(const std::string& name, const std::string& mac) {
    const std::uint8_t off = 0;
    add_link({"bridge", mac, 0, -1, IFLA_BR_MCAST_SNOOPING, &off, sizeof off}, name);
}

void Netlink::add_macvlan(const std::string& name, const std::string& mac,
                          const std::string& parent, int netns) {
    const std::uint32_t mode = MACVLAN_MODE_BRIDGE;
    add_link(
        {"macvlan", mac, interface_index(parent), netns, IFLA_MACVLAN_MODE, &mode, sizeof mode},
        name);
}

void Netlink::add_ipvlan(const std::string& name, const std::string& parent, int netns) {
    const std::uint16_t mode = IPVLAN_MODE_L2;
    add_link({"ipvlan", "", interface_index(parent), netns, IFLA_IPVLAN_MODE, &mode, sizeof mode},
             name);
}

void Netlink::delete_link(const std::string& name) {
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
    if (link.ifi_index == 0) return;
    Message message(RTM_DELLINK, 0, link);
    request(message, "delete link " + name);
}

void Netlink::change_link(const std::string& interface, unsigned short attribute,
                          std::uint32_t value) {
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(interface_index(interface));
    Message message(RTM_NEWLINK, 0, link);
    message.attribute(attribute, value);
    request(message, "change link " + interface);
}

void Netlink::set_master(const std::string& interface, const std::string& master) {
    change_link(interface, IFLA_MASTER, interface_index(master));
}

void Netlink::set_mtu(const std::string& interface, std::uint32_t bytes) {
    change_link(interface, IFLA_MTU, bytes);
}

void Netlink::set_flags(const std::string& interface, unsigned flags) {
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(interface_index(interface));
    link.ifi_flags = flags;
    link.ifi_change = IFF_UP;
    Message message(RTM_NEWLINK, 0, link);
    request(message, "set " + interface + (flags == 0 ? " down" : " up"));
}

void Netlink::set_up(const std::string& interface) {
    set_flags(interface, IFF_UP);
}

void Netlink::set_down(const std::string& interface) {
    set_flags(interface, 0);
}

void Netlink::add_address(const std::string& interface, const std::string& text) {
    const IpPrefix prefix = parse_prefix(text);
    ifaddrmsg address{};
    address.ifa_family = static_cast<std::uint8_t>(prefix.address.family);
    address.ifa_prefixlen = prefix.length;
    address.ifa_index = interface_index(interface);
    if (prefix.address.family == AF_INET6) address.ifa_flags = IFA_F_NODAD;
    Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
    message.attribute(IFA_LOCAL, prefix.address);
    message.attribute(IFA_ADDRESS, prefix.address);
    if (prefix.address.family == AF_INET && prefix.length < 31) {
        IpAddress broadcast = prefix.address;
        for (unsigned bit = prefix.length; bit < 32; bit++)
            broadcast.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80u >> (bit % 8));
        message.attribute(IFA_BROADCAST, broadcast);
    }
    request(message, "add address " + text + " to " + interface);
}

void Netlink::remove_address(const std::string& interface, const std::string& text) {
    const IpPrefix prefix = parse_prefix(text);
    ifaddrmsg address{};
    address.ifa_family = static_cast<std::uint8_t>(prefix.address.family);
    address.ifa_prefixlen = prefix.length;
    address.ifa_index = interface_index(interface);
    Message message(RTM_DELADDR, 0, address);
    message.attribute(IFA_LOCAL, prefix.address);
    request(message, "remove address " + text + " from " + interface);
}

void Netlink::add_route(const std::string& text, const std::string& via) {
    const IpPrefix prefix = parse_prefix(text);
    rtmsg route{};
    route.rtm_family = static_cast<std::uint8_t>(prefix.address.family);
    route.rtm_dst_len = prefix.length;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_STATIC;
    route.rtm_scope = RT_SCOPE_UNIVERSE;
    route.rtm_type = RTN_UNICAST;
    Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
    if (prefix.length != 0) message.attribute(RTA_DST, prefix.address);
    message.attribute(RTA_GATEWAY, parse_address(via));
    request(message, "add route " + text + " via " + via);
}

void Netlink::add_neighbour(const std::string& interface, const std::string& address,
                            const std::string& mac) {
    const IpAddress ip = parse_address(address);
    ndmsg neighbour{};
    neighbour.ndm_family = static_cast<std::uint8_t>(ip.family);
    neighbour.ndm_ifindex = static_cast<int>(interface_index(interface));
    neighbour.ndm_state = NUD_PERMANENT;
    Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbour);
    message.attribute(NDA_DST, ip);
    message.hardware_address(NDA_LLADDR, mac);
    request(message, "add neighbour " + address);
}

void Netlink::add_local_routes(const std::vector<IpPrefix>& prefixes) {
    constexpr std::size_t most = 32 * 1024;  // of a send: the default socket buffer holds it
    const std::uint32_t loopback = interface_index("lo");
    std::string batch;
    for (std::size_t i = 0; i < prefixes.size(); i++) {
        rtmsg route{};
        route.rtm_family = static_cast<std::uint8_t>(prefixes[i].address.family);
        route.rtm_dst_len = prefixes[i].length;
        route.rtm_table = RT_TABLE_LOCAL;
        route.rtm_protocol = RTPROT_STATIC;
        route.rtm_scope = RT_SCOPE_HOST;
        route.rtm_type = RTN_LOCAL;
        Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
        message.attribute(RTA_DST, prefixes[i].address);
        message.attribute(RTA_OIF, loopback);
        const bool last = i + 1 == prefixes.size() || batch.size() > most;
        batch += message.finish(++sequence_, last);
        if (!last) continue;
        send_and_confirm(batch, "add local routes");
        batch.clear();
    }
}

unsigned interface_index(const std::string& name) {
    const unsigned index = ::if_nametoindex(name.c_str());
    if (index == 0) throw_errno("find interface " + name);
    return index;
}

}  // namespace jail_ai::test
