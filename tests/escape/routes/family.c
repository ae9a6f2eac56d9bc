/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Address families and protocols beside TCP and UDP; most kernels have only some of them. */
#include "deliver.h" /* the C library's <netinet/in.h> before the kernel's <linux/in.h>, which steps back for it */

#include <errno.h>
#include <linux/qrtr.h>
#include <linux/rxrpc.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* struct sockaddr_pppox of <linux/if_pppox.h>, which does not go together with <netinet/in.h>. */
struct pppoe_address {
    uint16_t family;
    uint32_t protocol;
    uint16_t session; /* network order */
    uint8_t remote[6];
    char device[16];
} __attribute__((packed));

static int sctp_connect(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP),
                          address4(t->host4, t->port));
}

static int sctp_connect_v6(const struct target* t) {
    return deliver_stream(t, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP),
                          address6(&t->host6, t->port));
}

/* One-to-many: sendto() makes the association. */
static int sctp_sendto(const struct target* t) {
    return deliver_sendto(
        t, socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_SCTP),
        address4(t->host4, t->port));
}

/* sctp_connectx(3): the addresses are a socket option. */
static int sctp_connectx(const struct target* t) {
    struct address to = address4(t->host4, t->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_SCTP);

    if (fd < 0) return errno;
    if (setsockopt(fd, IPPROTO_SCTP, 110 /* SCTP_SOCKOPT_CONNECTX */, &to.v4, sizeof(to.v4)) &&
        errno != EINPROGRESS)
        return done(fd, errno);
    return done(fd, joined(fd));
}

static int dccp(const struct target* t) {
    return deliver_stream(t,
                          socket(AF_INET, 6 /* SOCK_DCCP */ | SOCK_CLOEXEC, 33 /* IPPROTO_DCCP */),
                          address4(t->host4, t->port));
}

static int smc(const struct target* t) {
    return deliver_stream(t, socket(43 /* AF_SMC */, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          address4(t->host4, t->port));
}

static int smc_inet(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 256 /* IPPROTO_SMC */),
                          address4(t->host4, t->port));
}

static int l2tp(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 115 /* IPPROTO_L2TP */),
                          address4(t->host4, 0));
}

/* An address here is IPv4's with a connection number behind it, and a socket has to have one of its
 * own first. */
static int l2tp_connected(const struct target* t) {
    struct address own = address4((struct in_addr){0}, 0), to = address4(t->host4, 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 115 /* IPPROTO_L2TP */);

    if (fd < 0) return errno;
    own.v4.sin_zero[0] = to.v4.sin_zero[0] = 7;
    if (bind(fd, &own.any, own.length)) return done(fd, errno);
    return deliver_connected(t, fd, to);
}

/* The kernel's own thread connects, over TCP, with a socket of its own. */
static int rds(const struct target* t) {
    struct timespec nap = {.tv_nsec = 100000000};
    struct address from = address4(t->own4, 4000), to = address4(t->host4, 4000);
    int fd = socket(21 /* AF_RDS */, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error;

    if (fd < 0) return errno;
    if (bind(fd, &from.any, from.length)) return done(fd, errno);
    error = sendto(fd, t->token, TOKEN_SIZE, 0, &to.any, to.length) < 0 ? errno : 0;
    if (!error) nanosleep(&nap, NULL);
    return done(fd, error);
}

static int rxrpc(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(unsigned long))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(unsigned long)),
                          .cmsg_level = 272 /* SOL_RXRPC */,
                          .cmsg_type = RXRPC_USER_CALL_ID}};
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct sockaddr_rxrpc to = {.srx_family = 33,
                                .srx_service = 1,
                                .transport_type = SOCK_DGRAM,
                                .transport_len = sizeof(struct sockaddr_in)};
    struct msghdr letter = {.msg_name = &to,
                            .msg_namelen = sizeof(to),
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control};
    int fd = socket(33 /* AF_RXRPC */, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, PF_INET);

    if (fd < 0) return errno;
    letter.msg_controllen = sizeof(control);
    memcpy(&to.transport.sin,
           &(struct sockaddr_in){
               .sin_family = AF_INET, .sin_port = htons(t->port), .sin_addr = t->host4},
           sizeof(struct sockaddr_in));
    fill_token(t, bytes, sizeof(bytes));
    return done(fd, sendmsg(fd, &letter, 0) < 0 ? errno : 0);
}

/* Ethernet frames of type PPPoE session, to any address on the link. */
static int pppoe(const struct target* t) {
    struct pppoe_address at = {.family = AF_PPPOX, .session = htons(1)};
    int fd = socket(AF_PPPOX, SOCK_STREAM | SOCK_CLOEXEC, 0 /* PX_PROTO_OE */);

    if (fd < 0) return errno;
    memcpy(at.remote, t->host_mac, 6);
    memcpy(at.device, t->ifname, sizeof(at.device));
    if (connect(fd, (struct sockaddr*)&at, sizeof(at))) return done(fd, errno);
    return done(fd, put(t, fd, 0));
}

/* Sockets of one machine, whatever the network namespace. */
static int qrtr(const struct target* t) {
    struct sockaddr_qrtr to = {.sq_family = 42};
    socklen_t length = sizeof(to);
    uint8_t bytes[PAYLOAD];
    int fd = socket(42 /* AF_QIPCRTR */, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) return errno;
    if (getsockname(fd, (struct sockaddr*)&to, &length)) /* the node is this machine's */
        return done(fd, errno);
    to.sq_port = t->vsock_port;
    fill_token(t, bytes, sizeof(bytes));
    return done(
        fd, sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr*)&to, sizeof(to)) < 0 ? errno : 0);
}

/* CID 1 is this machine, whatever the network namespace. Without the loopback transport the kernel
 * would ask the hypervisor: never do. */
static int vsock(const struct target* t) {
    struct sockaddr_vm to = {
        .svm_family = AF_VSOCK, .svm_port = t->vsock_port, .svm_cid = VMADDR_CID_LOCAL};
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) return errno;
    if (access("/sys/module/vsock_loopback", F_OK)) return done(fd, ENODEV);
    if (connect(fd, (struct sockaddr*)&to, sizeof(to))) return done(fd, errno);
    return done(fd, put(t, fd, 0));
}

const struct route family_routes[] = {
    {"sctp/connect-v4", "", sctp_connect},
    {"sctp/connect-v6", "", sctp_connect_v6},
    {"sctp/sendto", "", sctp_sendto},
    {"sctp/connectx", "bare", sctp_connectx},
    {"dccp/connect", "", dccp},
    {"smc/family", "", smc},
    {"smc/protocol", "", smc_inet},
    {"l2tp/sendto", "", l2tp},
    {"l2tp/connected", "", l2tp_connected},
    {"rds/sendto", "bare", rds},
    {"rxrpc/call", "", rxrpc},
    {"pppoe/session", "", pppoe},
    {"qrtr/local", "", qrtr},
    {"vsock/local", "", vsock},
    {0},
};
