/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Devices that wrap packets or make them up (CAP_NET_ADMIN): what leaves has no socket of the
 * container's, or not the destination the socket named.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "deliver.h"
#include "tool.h"
#include "wire.h"

#define INNER_UP "link set inner up\naddress add 10.200.0.2/24 dev inner\n"

/* A datagram to the far end of the tunnel, which is nobody. */
static int through(const struct target* t, const char* format) {
    struct in_addr far = {htonl(0x0ac80001)}; /* 10.200.0.1 */
    int error = ip_batch(t, format);

    return error ? error
                 : deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address4(far, t->port));
}

static int vxlan(const struct target* t) {
    return through(t,
                   "link add inner type vxlan id 7 remote @host4 dstport 4789 dev @link\n" INNER_UP
                   "neighbour replace 10.200.0.1 lladdr 02:00:00:00:00:09 dev inner\n");
}

static int geneve(const struct target* t) {
    return through(t, "link add inner type geneve id 7 remote @host4\n" INNER_UP
                      "neighbour replace 10.200.0.1 lladdr 02:00:00:00:00:09 dev inner\n");
}

static int gre(const struct target* t) {
    return through(t, "tunnel add inner mode gre remote @host4 local @own4\n" INNER_UP);
}

static int gretap(const struct target* t) {
    return through(t, "link add inner type gretap remote @host4 local @own4\n" INNER_UP
                      "neighbour replace 10.200.0.1 lladdr 02:00:00:00:00:09 dev inner\n");
}

static int ipip(const struct target* t) {
    return through(t, "tunnel add inner mode ipip remote @host4 local @own4\n" INNER_UP);
}

static int fou(const struct target* t) {
    return through(t,
                   "link add inner type ipip remote @host4 local @own4 encap fou encap-sport auto "
                   "encap-dport 5555\n" INNER_UP);
}

static int ip6tnl(const struct target* t) {
    return through(t, "link add inner type ip6tnl mode ipip6 remote @host6\n" INNER_UP);
}

static int vti(const struct target* t) {
    return through(t, "link add inner type vti remote @host4 local @own4 key 7\n" INNER_UP);
}

static int sit(const struct target* t) {
    struct in6_addr far = {.s6_addr = {0xfd, 0x99, [15] = 1}};
    int error = ip_batch(t,
                         "tunnel add inner mode sit remote @host4 local @own4\nlink set inner "
                         "up\naddress add fd99::2/64 dev inner nodad\n");

    return error ? error
                 : deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address6(&far, t->port));
}

static int bareudp(const struct target* t) {
    return through(t, "link add inner type bareudp dstport 6635 ethertype ipv4\n" INNER_UP
                      "route add 10.200.0.1/32 encap ip id 7 dst @host4 dev inner\n");
}

/* A route that pushes a segment routing header, or a whole outer header, with the host as the next
 * stop. */
static int segment_route(const struct target* t, const char* format) {
    struct in6_addr far = {.s6_addr = {0xfd, 0x99, [15] = 1}};
    int error = ip_batch(t, format);

    return error ? error
                 : deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address6(&far, t->port));
}

static int segment_encapsulated(const struct target* t) {
    return segment_route(t, "route add fd99::/64 encap seg6 mode encap segs @host6 dev @link\n");
}

static int segment_inline(const struct target* t) {
    return segment_route(t, "route add fd99::/64 encap seg6 mode inline segs @host6 dev @link\n");
}

static int mpls(const struct target* t) {
    return through(t, "route add 10.200.0.1/32 encap mpls 100 via inet @host4 dev @link\n");
}

static int wireguard(const struct target* t) {
    char peer[64], host4[INET_ADDRSTRLEN];
    const char* const set[] = {"wg",
                               "set",
                               "inner",
                               "private-key",
                               "/proc/sys/kernel/random/uuid",
                               "peer",
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                               "endpoint",
                               peer,
                               "allowed-ips",
                               "0.0.0.0/0",
                               0};
    int error = ip_batch(t, "link add inner type wireguard\n" INNER_UP);

    inet_ntop(AF_INET, &t->host4, host4, sizeof(host4));
    snprintf(peer, sizeof(peer), "%s:51820", host4);
    return error ? error : run_tool(set, NULL);
}

static int tun_device(const struct target* t, const char* commands, int* fd) {
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};

    strcpy(request.ifr_name, "inner");
    *fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (*fd < 0 || ioctl(*fd, TUNSETIFF, &request)) return errno;
    return ip_batch(t, commands);
}

/* What is written into a tun device is a packet that arrives; the container's namespace forwards
 * it. */
static int tun_forwarded(const struct target* t) {
    struct in_addr from = {htonl(0x0ac80002)};
    struct packet packet = {0};
    int forwarding = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
    size_t header;
    int fd;
    int error = tun_device(t, "link set inner up\naddress add 10.200.0.1/24 dev inner\n", &fd);

    if (error) return done(fd, error);
    if (forwarding < 0 || write(forwarding, "1", 1) < 0) return done(fd, errno);
    close(forwarding);
    header = begin_ip4(&packet, from, t->host4, IPPROTO_UDP, 0);
    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    end_ip4(&packet, header);
    return done(fd, write(fd, packet.bytes, packet.size) < 0 ? errno : 0);
}

/* A packet from the host that the container's kernel cannot accept: it tells the host, and quotes
 * the packet. */
static int tun_quoted(const struct target* t) {
    struct packet packet = {0};
    size_t header;
    int fd;
    int error = tun_device(t, "link set inner up\naddress add 10.200.0.1/24 dev inner\n", &fd);

    if (error) return done(fd, error);
    header = begin_ip4(&packet, t->host4, t->own4, IPPROTO_UDP, 0);
    add_udp(&packet, t, 40000, 40999, PAYLOAD);
    end_ip4(&packet, header);
    return done(fd, write(fd, packet.bytes, packet.size) < 0 ? errno : 0);
}

const struct route tunnel_routes[] = {
    {"tunnel/vxlan", "net_admin", vxlan},
    {"tunnel/geneve", "net_admin", geneve},
    {"tunnel/gre", "net_admin", gre},
    {"tunnel/gretap", "net_admin", gretap},
    {"tunnel/ipip", "net_admin", ipip},
    {"tunnel/fou", "net_admin", fou},
    {"tunnel/ip6tnl", "net_admin", ip6tnl},
    {"tunnel/vti", "net_admin", vti},
    {"tunnel/sit", "net_admin", sit},
    {"tunnel/bareudp", "net_admin", bareudp},
    {"tunnel/wireguard", "net_admin bare", wireguard},
    {"tunnel/segment-encapsulated", "net_admin", segment_encapsulated},
    {"tunnel/segment-inline", "net_admin", segment_inline},
    {"tunnel/mpls", "net_admin", mpls},
    {"tunnel/tun-forwarded", "net_admin root", tun_forwarded},
    {"tunnel/tun-quoted", "net_admin root", tun_quoted},
    {0},
};
