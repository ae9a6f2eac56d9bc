// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "network_lab.h"

#include "files.h"
#include "netlink.h"

namespace jail_ai::test {
namespace {

// Lives on the internet's side, reached by a route through the host.
constexpr const char* kElsewhere[] = {
    "169.254.169.254/32",      // metadata
    "fd00:ec2::254/128",       // metadata of AWS over IPv6
    "10.78.0.77/32",           // whatever a hosts file says
    "10.0.2.2/32",             // the host to slirp4netns and QEMU
    "169.254.1.2/32",          // the host to pasta
    "64:ff9b::10.77.0.1/128",  // the host's address as NAT64 carries it
    "2002:a4d:1::1/128",       // … 6to4
    "::10.77.0.1/128",         // … IPv4-compatible
    "::ffff:0:10.77.0.1/128",  // … translated
};

bool is_v6(const std::string& text) {
    return text.find(':') != std::string::npos;
}

void build_host(const NetworkLab& lab) {
    const Visit visit(lab.host);
    write_file("/proc/sys/net/ipv4/ip_forward", "1");
    write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    Netlink netlink;
    netlink.add_veth("host0", "ctr0", lab.container.fd());
    netlink.add_veth("host1", "ext0", lab.internet.fd());
    netlink.add_address("lo", "10.77.9.1/32");
    for (const char* address : {"10.77.0.1/24", "fd77::1/64", "fe80::77:1/64"})
        netlink.add_address("host0", address);
    for (const char* address : {"10.78.0.1/24", "fd78::1/64"})
        netlink.add_address("host1", address);
    for (const char* interface : {"host0", "host1"}) netlink.set_up(interface);
}

void build_container(const NetworkLab& lab) {
    const Visit visit(lab.container);
    Netlink netlink;
    for (const char* address : {"10.77.0.2/24", "fd77::2/64"}) netlink.add_address("ctr0", address);
    netlink.set_up("ctr0");
    netlink.add_route("0.0.0.0/0", "10.77.0.1");
    netlink.add_route("::/0", "fd77::1");
}

void build_internet(const NetworkLab& lab) {
    const Visit visit(lab.internet);
    Netlink netlink;
    for (const char* address : {"10.78.0.2/24", "fd78::2/64"}) netlink.add_address("ext0", address);
    for (const char* address : kElsewhere) netlink.add_address("lo", address);
    netlink.set_up("ext0");
    netlink.add_route("0.0.0.0/0", "10.78.0.1");
    netlink.add_route("::/0", "fd78::1");
}

void route_elsewhere(const NetworkLab& lab) {
    const Visit visit(lab.host);
    Netlink netlink;
    for (const char* address : kElsewhere)
        netlink.add_route(address, is_v6(address) ? "fd78::2" : "10.78.0.2");
}

unsigned index_in(const NetworkNamespace& where, const char* interface) {
    const Visit visit(where);
    return interface_index(interface);
}

}  // namespace

NetworkLab::NetworkLab() {
    build_host(*this);
    build_container(*this);
    build_internet(*this);
    route_elsewhere(*this);
    container_interface = index_in(container, "ctr0");
    witness.listen(Place::host, host, index_in(host, "host0"));
    witness.listen(Place::container, container, container_interface);
    witness.listen(Place::internet, internet, index_in(internet, "ext0"));
}

void link_to_host(const NetworkLab& lab, const NetworkNamespace& network, const char* name,
                  const std::string& prefix4, const std::string& prefix6) {
    const std::string peer = std::string(name) + "p";
    {
        const Visit visit(lab.host);
        Netlink netlink;
        netlink.add_veth(name, peer, network.fd());
        netlink.add_address(name, prefix4 + "1/24");
        netlink.add_address(name, prefix6 + "1/64");
        netlink.set_up(name);
    }
    const Visit visit(network);
    Netlink netlink;
    netlink.add_address(peer, prefix4 + "2/24");
    netlink.add_address(peer, prefix6 + "2/64");
    netlink.set_up(peer);
    netlink.add_route("0.0.0.0/0", prefix4 + "1");
    netlink.add_route("::/0", prefix6 + "1");
}

}  // namespace jail_ai::test
