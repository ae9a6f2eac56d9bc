/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Packet filters of the container's own namespace (CAP_NET_ADMIN) that change where a packet goes
 * after the socket named its destination. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deliver.h"
#include "tool.h"

/* Nobody's address, which the rules turn into the host's. */
static struct in_addr decoy4(void) {
    return (struct in_addr){htonl(0x01020304)};
}

#define DNAT4                                                                                     \
    "table ip escape { chain out { type nat hook output priority -100; ip daddr 1.2.3.4 dnat to " \
    "@host4; }; }\n"

static int dnat_tcp(const struct target* t) {
    int error = nft_rules(t, DNAT4);

    return error ? error
                 : deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                                  address4(decoy4(), t->port));
}

static int dnat_udp(const struct target* t) {
    int error = nft_rules(t, DNAT4);

    return error ? error
                 : deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address4(decoy4(), t->port));
}

static int dnat_v6(const struct target* t) {
    struct in6_addr to = {.s6_addr = {0xfd, 0x99, [15] = 1}};
    int error = nft_rules(t,
                          "table ip6 escape { chain out { type nat hook output priority -100; ip6 "
                          "daddr fd99::1 dnat to @host6; }; }\n");

    return error ? error
                 : deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address6(&to, t->port));
}

/* Rewrites the address in the packet without tracking anything, still before the packet leaves the
 * network layer. */
static int rewritten_output(const struct target* t) {
    int error = nft_rules(t,
                          "table ip escape { chain out { type route hook output priority -150; ip "
                          "daddr 1.2.3.4 ip daddr set @host4; }; }\n");

    return error ? error
                 : deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address4(decoy4(), t->port));
}

static int rewritten_postrouting(const struct target* t) {
    int error = nft_rules(t,
                          "table ip escape { chain out { type filter hook postrouting priority "
                          "300; ip daddr 1.2.3.4 ip daddr set @host4; }; }\n");

    return error ? error
                 : deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address4(decoy4(), t->port));
}

/* At the device, behind every hook of the network layer. */
static int rewritten_egress(const struct target* t) {
    int error = nft_rules(t,
                          "table netdev escape { chain out { type filter hook egress device "
                          "\"@link\" priority 0; ip daddr 1.2.3.4 ip daddr set @host4; }; }\n");

    return error ? error
                 : deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                                  address4(decoy4(), t->port));
}

/* A namespace inside the namespace: what comes out of it is forwarded, and forwarded packets have
 * no socket. */
static int nested(const struct target* t) {
    char commands[512];
    int ready[2], go[2], status, error;
    char byte = 0;
    pid_t inside;
    int forwarding, map;

    if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC)) return errno;
    inside = fork();
    if (inside == 0) {
        close(go[1]);
        snprintf(commands, sizeof(commands), "0 %u 1",
                 geteuid()); /* root in there, so that ip(8) keeps its capabilities */
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) ||
            (map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC)) < 0 ||
            write(map, commands, strlen(commands)) < 0 || write(ready[1], &byte, 1) < 0 ||
            read(go[0], &byte, 1) != 1)
            _exit(errno & 0xff);
        error = ip_batch(t,
                         "address add 10.201.0.2/24 dev inner\nlink set inner up\nroute add "
                         "default via 10.201.0.1\n");
        await_link("inner");
        _exit((error ? error
                     : deliver_sendto(t, socket(AF_INET, SOCK_DGRAM, 0),
                                      address4(decoy4(), t->port))) &
              0xff);
    }
    close(ready[1]);
    close(go[0]);
    if (read(ready[0], &byte, 1) != 1) {
        waitpid(inside, &status, 0);
        return WEXITSTATUS(status);
    }
    snprintf(commands, sizeof(commands),
             "link add outer type veth peer name inner netns %d\naddress add 10.201.0.1/24 dev "
             "outer\nlink set outer up\n",
             inside);
    error = ip_batch(t, commands);
    forwarding = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
    if (!error && (forwarding < 0 || write(forwarding, "1", 1) < 0)) error = errno;
    if (!error)
        error = nft_rules(t,
                          "table ip escape { chain in { type nat hook prerouting priority -100; ip "
                          "daddr 1.2.3.4 dnat to @host4; };"
                          " chain out { type nat hook postrouting priority 100; oifname \"@link\" "
                          "masquerade; }; }\n");
    if (error)
        kill(inside, SIGKILL);
    else if (write(go[1], &byte, 1) < 0)
        error = errno;
    waitpid(inside, &status, 0);
    return error ? error : WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

const struct route nat_routes[] = {
    {"nat/output-tcp", "net_admin", dnat_tcp},
    {"nat/output-udp", "net_admin", dnat_udp},
    {"nat/output-v6", "net_admin", dnat_v6},
    {"nat/rewritten-output", "net_admin", rewritten_output},
    {"nat/rewritten-postrouting", "net_admin", rewritten_postrouting},
    {"nat/rewritten-egress", "net_admin", rewritten_egress},
    {"nat/nested-prerouting", "net_admin", nested},
    {0},
};
