/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TCP by connect(2), in every spelling of the host's address and every state a socket can be in
 * beforehand. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "deliver.h"

static int stream(int family) {
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int to_v4(const struct target* t) {
    return deliver_stream(t, stream(AF_INET), address4(t->host4, t->port));
}

static int to_second(const struct target* t) {
    return deliver_stream(t, stream(AF_INET), address4(t->second4, t->port));
}

static int to_v6(const struct target* t) {
    return deliver_stream(t, stream(AF_INET6), address6(&t->host6, t->port));
}

static int to_mapped(const struct target* t) {
    return deliver_stream(t, stream(AF_INET6), mapped4(t->host4, t->port));
}

static int to_anycast(const struct target* t) {
    return deliver_stream(t, stream(AF_INET6), address6(&t->neighbour6, t->port));
}

static int to_link_local(const struct target* t) {
    return deliver_stream(t, stream(AF_INET6), scoped6(&t->link6, t->port, t));
}

static int to_link_local_bound(const struct target* t) {
    int fd = stream(AF_INET6);

    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, t->ifname, (socklen_t)strlen(t->ifname)))
        return done(fd, errno);
    return deliver_stream(t, fd, address6(&t->link6, t->port));
}

static int wrong_family(const struct target* t) {
    return deliver_stream(t, stream(AF_INET6), address4(t->host4, t->port));
}

static int long_address(const struct target* t) {
    struct address to = address4(t->host4, t->port);

    to.length = sizeof(struct sockaddr_storage);
    return deliver_stream(t, stream(AF_INET), to);
}

static int short_v6(const struct target* t) {
    struct address to = address6(&t->host6, t->port);

    to.length = 24; /* SIN6_LEN_RFC2133: without the scope */
    return deliver_stream(t, stream(AF_INET6), to);
}

static int blocking(const struct target* t) {
    struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
    struct address to = address4(t->host4, t->port);
    int fd = stream(AF_INET);

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, &to.any, to.length)) return done(fd, errno);
    return done(fd, put(t, fd, 0));
}

/* connect(AF_UNSPEC) dissolves a connection to a permitted address, and the socket connects again.
 */
static int after_reset(const struct target* t) {
    struct address first = address4(t->ext4, t->port);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int fd = stream(AF_INET);
    int error = join(fd, &first);

    if (error) return done(fd, error);
    if (connect(fd, &nowhere, sizeof(nowhere))) return done(fd, errno);
    return deliver_stream(t, fd, address4(t->host4, t->port));
}

static int former_listener(const struct target* t) {
    int fd = stream(AF_INET);

    if (listen(fd, 1) || shutdown(fd, SHUT_RD)) return done(fd, errno);
    return deliver_stream(t, fd, address4(t->host4, t->port));
}

static int former_v6(const struct target* t) {
    int fd = stream(AF_INET6);
    int family =
        AF_INET; /* IPV6_ADDRFORM turns a socket connected to a mapped address into an IPv4 one */
    struct address first = mapped4(t->ext4, t->port);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int error = join(fd, &first);

    if (error) return done(fd, error);
    if (setsockopt(fd, IPPROTO_IPV6, 1 /* IPV6_ADDRFORM */, &family, sizeof(family)) ||
        connect(fd, &nowhere, sizeof(nowhere)))
        return done(fd, errno);
    return deliver_stream(t, fd, address4(t->host4, t->port));
}

static int vectored(const struct target* t) {
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct address to = address4(t->host4, t->port);
    int fd = stream(AF_INET);
    int error = join(fd, &to);

    fill_token(t, bytes, sizeof(bytes));
    if (!error && writev(fd, &part, 1) < 0) error = errno;
    return done(fd, error);
}

/* Embedded IPv4: nothing here translates them, but the packet goes to the gateway, which is the
 * host. */
static int to_embedded(const struct target* t, const uint8_t prefix[12]) {
    struct in6_addr to;

    memcpy(to.s6_addr, prefix, 12);
    memcpy(to.s6_addr + 12, &t->host4, 4);
    return deliver_stream(t, stream(AF_INET6), address6(&to, t->port));
}

static int to_compatible(const struct target* t) {
    return to_embedded(t, (const uint8_t[12]){0});
}

static int to_translated(const struct target* t) {
    return to_embedded(t, (const uint8_t[12]){[8] = 0xff, [9] = 0xff});
}

static int to_nat64(const struct target* t) {
    return to_embedded(t, (const uint8_t[12]){0x00, 0x64, 0xff, 0x9b});
}

static int to_nat64_local(const struct target* t) {
    return to_embedded(t, (const uint8_t[12]){0x00, 0x64, 0xff, 0x9b, 0x00, 0x01});
}

/* RFC 6052 2.2: behind a prefix of 48, 56 or 64 bits the address leaves out byte 8. */
static int to_nat64_at(const struct target* t, const size_t place[4]) {
    struct in6_addr to = {.s6_addr = {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}};

    for (int i = 0; i < 4; i++) to.s6_addr[place[i]] = ((const uint8_t*)&t->host4)[i];
    return deliver_stream(t, stream(AF_INET6), address6(&to, t->port));
}

static int to_nat64_48(const struct target* t) {
    return to_nat64_at(t, (const size_t[4]){6, 7, 9, 10});
}

static int to_nat64_56(const struct target* t) {
    return to_nat64_at(t, (const size_t[4]){7, 9, 10, 11});
}

static int to_nat64_64(const struct target* t) {
    return to_nat64_at(t, (const size_t[4]){9, 10, 11, 12});
}

static int to_6to4(const struct target* t) {
    struct in6_addr to = {.s6_addr = {0x20, 0x02}};

    memcpy(to.s6_addr + 2, &t->host4, 4);
    to.s6_addr[15] = 1;
    return deliver_stream(t, stream(AF_INET6), address6(&to, t->port));
}

#ifdef __x86_64__
static sigjmp_buf no_int80;

static void on_fault(int signal_number) {
    (void)signal_number;
    siglongjmp(no_int80, 1);
}

/* The 32-bit system call table from a 64-bit program: what a filter of 64-bit calls does not see.
 */
static int by_int80(const struct target* t) {
    struct low {
        uint32_t arguments[3];
        struct sockaddr_in to;
    }* low =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    int fd = stream(AF_INET);
    long result;

    if (low == MAP_FAILED) return done(fd, errno);
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(no_int80, 1)) return done(fd, ENOSYS);
    low->to = address4(t->host4, t->port).v4;
    low->arguments[0] = (uint32_t)fd;
    low->arguments[1] = (uint32_t)(uintptr_t)&low->to;
    low->arguments[2] = sizeof(low->to);
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(102L /* socketcall */), "b"(3L /* SYS_CONNECT */),
                       "c"((uintptr_t)low->arguments)
                     : "memory", "r8", "r9", "r10", "r11");
    signal(SIGSEGV, SIG_DFL);
    if ((int)result < 0) return done(fd, -(int)result);
    return done(fd, put(t, fd, 0));
}
#endif

const struct route tcp_routes[] = {
    {"tcp/v4", "", to_v4},
    {"tcp/v4-second-address", "", to_second},
    {"tcp/v6", "", to_v6},
    {"tcp/v6-mapped", "", to_mapped},
    {"tcp/v6-anycast", "bare", to_anycast},
    {"tcp/v6-link-local", "", to_link_local},
    {"tcp/v6-link-local-bound", "", to_link_local_bound},
    {"tcp/v4-address-on-v6", "", wrong_family},
    {"tcp/v4-long-address", "", long_address},
    {"tcp/v6-short-address", "", short_v6},
    {"tcp/blocking", "", blocking},
    {"tcp/after-unspec-reset", "", after_reset},
    {"tcp/former-listener", "", former_listener},
    {"tcp/former-v6-socket", "", former_v6},
    {"tcp/writev", "", vectored},
    {"tcp/v4-compatible", "bare", to_compatible},
    {"tcp/v4-translated", "bare", to_translated},
    {"tcp/nat64", "bare", to_nat64},
    {"tcp/nat64-local-use", "bare", to_nat64_local},
    {"tcp/nat64-local-use-48", "bare", to_nat64_48},
    {"tcp/nat64-local-use-56", "bare", to_nat64_56},
    {"tcp/nat64-local-use-64", "bare", to_nat64_64},
    {"tcp/6to4", "bare", to_6to4},
#ifdef __x86_64__
    {"tcp/int80", "", by_int80},
#endif
    {0},
};
