// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The worlds; see world.h.
#include "world.h"

namespace escape {

const std::vector<World>& all_worlds() {
    static const std::vector<World> worlds = {
        {.name = "plain", .what = "a veth pair"},
        {.name = "localnet",
         .what = "a bridge with route_localnet=1, as netavark, CNI portmap and kube-proxy set it: "
                 "the host takes packets for 127.0.0.0/8",
         .link = Link::bridge,
         .host_settings = {{"ipv4/conf/all/route_localnet", "1"},
                           {"ipv4/conf/all/accept_local", "1"}}},
        {.name = "localnet-both",
         .what = "the same, and the container has route_localnet=1 and accept_local=1, too (podman "
                 "run --sysctl)",
         .link = Link::bridge,
         .host_settings = {{"ipv4/conf/all/route_localnet", "1"},
                           {"ipv4/conf/all/accept_local", "1"}},
         .container_settings = {{"ipv4/conf/all/route_localnet", "1"},
                                {"ipv4/conf/all/accept_local", "1"}}},
        // conntrack forgets sooner than it does by default, so that nobody waits for half a minute.
        {.name = "networks",
         .what = "a container in two networks, each masqueraded towards the other",
         .link = Link::bridge,
         .addresses = {"10.76.0.1", "10.76.0.255", "fd76::1"},
         .nft = "table inet escape {\n"
                " chain postrouting {\n"
                "  type nat hook postrouting priority srcnat;\n"
                "  ip saddr 10.77.0.0/24 oifname \"vg\" masquerade\n"
                "  ip6 saddr fd77::/64 oifname \"vg\" masquerade\n"
                "  ip saddr 10.76.0.0/24 oifname \"vh\" masquerade\n"
                "  ip6 saddr fd76::/64 oifname \"vh\" masquerade\n"
                " }\n"
                "}\n",
         .second_leg = true},
        {.name = "translated",
         .what = "the host translates addresses of nobody's (services whose endpoint is the node) "
                 "and a port of every address to itself",
         .nft = "table inet escape {\n"
                " chain prerouting {\n"
                "  type nat hook prerouting priority dstnat;\n"
                "  ip daddr 10.96.0.10 dnat ip to 10.77.0.1\n"
                "  ip6 daddr fd96::10 dnat ip6 to fd77::1\n"
                "  tcp dport 20004 redirect to :20000\n"
                "  udp dport 20004 redirect to :20000\n"
                " }\n"
                "}\n"},
        {.name = "tables",
         .what = "routes of type local in another table, which a rule leads to (AnyIP, transparent "
                 "proxies)",
         .host4 = "192.0.2.9",
         .second4 = "169.254.25.10",
         .host6 = "fd99::9",
         .addresses = {"192.0.2.9", "169.254.25.10", "fd99::9"},
         // The kernel answers TCP over IPv4 from addresses of its local table alone: who waits for
         // that gives up soon.
         .container_settings = {{"ipv4/tcp_syn_retries", "1"}},
         .ip = "route add local 192.0.2.0/24 dev lo table 100\n"
               "route add local 169.254.25.10 dev lo table 101\n"
               "rule add to 192.0.2.0/24 lookup 100\n"
               "rule add to 169.254.25.10 lookup 101\n",
         .ip6 = "route add local fd99::/64 dev lo table 100\n"
                "rule add to fd99::/64 lookup 100\n"},
        {.name = "vrf",
         .what = "the container's network in a VRF of the host",
         .host_settings = {{"ipv4/tcp_l3mdev_accept", "1"}, {"ipv4/udp_l3mdev_accept", "1"}},
         .ip = "link add red type vrf table 50\n"
               "link set red up\n"
               "route add 10.78.0.0/24 dev hx table 50\n",
         .ip6 = "route add fd78::/64 dev hx table 50\n",
         .master = "red",
         .linked_ip = "route add 10.77.0.0/24 dev vh\n",
         .linked_ip6 = "route add fd77::/64 dev vh\n"},
        {.name = "services",
         .what = "addresses of services on devices of the host (kube-ipvs0, nodelocaldns), where "
                 "its own listeners answer too",
         .host4 = "10.96.0.10",
         .second4 = "169.254.20.10",
         .host6 = "fd96::10",
         .addresses = {"10.96.0.10", "169.254.20.10", "fd96::10"},
         .ip = "link add kube-ipvs0 type bridge\n"
               "address add 10.96.0.10/32 dev kube-ipvs0\n"
               "address add fd96::10/128 dev kube-ipvs0 nodad\n"
               "link set kube-ipvs0 up\n"
               "link add nodelocaldns type bridge\n"
               "address add 169.254.20.10/32 dev nodelocaldns\n"},
        {.name = "macvlan",
         .what = "macvlan siblings: the host has one itself",
         .link = Link::macvlan},
        {.name = "ipvlan",
         .what = "ipvlan siblings: the host has one itself",
         .link = Link::ipvlan,
         // Says whether the kernel has them.
         .ip = "link add link hx name trial type ipvlan mode l2\n"
               "link delete trial\n"},
        // slirp4netns as podman calls it; of the host's own addresses those it relays to, of its
        // network those it has a meaning for.
        {.name = "slirp4netns",
         .what = "slirp4netns as podman runs it by default: its sockets on the host reach the "
                 "host's own addresses",
         .link = Link::helper,
         .host4 = "10.78.0.1",
         .host6 = "fd78::1",
         .link6 = "fe80::2",
         .own4 = "10.0.2.100",
         .own6 = "fd00::100",
         .gateway4 = "10.0.2.2",
         .gateway6 = "fd00::2",
         .helper = {"slirp4netns", "--netns-type=path", "--enable-ipv6", "--mtu=65520",
                    "--disable-host-loopback", "NETNS", "tap0"}},
        {.name = "slirp4netns-loopback",
         .what = "slirp4netns with allow_host_loopback=true and cidr=: its second address is the "
                 "host's loopback",
         .link = Link::helper,
         .host4 = "10.5.0.2",
         .host6 = "fd00::2",
         .link6 = "fe80::2",
         .own4 = "10.5.0.100",
         .own6 = "fd00::100",
         .gateway4 = "10.5.0.2",
         .gateway6 = "fd00::2",
         .helper = {"slirp4netns", "--netns-type=path", "--enable-ipv6", "--mtu=65520",
                    "--cidr=10.5.0.0/24", "NETNS", "tap0"}},
        {.name = "pasta",
         .what = "pasta as podman runs it by default: its sockets on the host reach the host's own "
                 "addresses",
         .link = Link::helper,
         .host4 = "10.78.0.1",
         .host6 = "fd78::1",
         .helper = {"pasta",        "--foreground", "--quiet",   "--runas",     "0",
                    "--netns-only", "--ns-ifname",  "tap0",      "--interface", "hx",
                    "--address",    "10.77.0.2",    "--netmask", "24",          "--gateway",
                    "10.77.0.1",    "--address",    "fd77::2",   "--gateway",   "fd77::1",
                    "-t",           "none",         "-u",        "none",        "-T",
                    "none",         "-U",           "none",      "--no-map-gw", "--netns",
                    "NETNS"}},
        {.name = "pasta-gateway",
         .what = "pasta with --map-gw, and with -T and -U of a port: the gateway is the host's "
                 "loopback",
         .link = Link::helper,
         .helper = {"pasta",        "--foreground", "--quiet",   "--runas",     "0",
                    "--netns-only", "--ns-ifname",  "tap0",      "--interface", "hx",
                    "--address",    "10.77.0.2",    "--netmask", "24",          "--gateway",
                    "10.77.0.1",    "--address",    "fd77::2",   "--gateway",   "fd77::1",
                    "-t",           "none",         "-u",        "none",        "-T",
                    "20900",        "-U",           "20900",     "--netns",     "NETNS"}},
        {.name = "joined", .what = "the network namespace of another container", .joined = true},
    };
    return worlds;
}

}  // namespace escape
