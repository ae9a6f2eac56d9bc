/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Says of each way to a socket, a line a way, whether it is open: "WAY open", "WAY ERRNO", or "WAY
   SIGNAL" of a child that did not survive the attempt. Tests run it inside containers whose root
   file system holds nothing else. Some ways are system calls of another ABI than this program's, or
   none that any C library makes. Usage: family WAY... */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    socketcall_socket = 1,
    i386_socketcall = 102,
    i386_socket = 359,
    x32_bit = 0x40000000,
    any_protocol = 0,
    all_ethernet = 0x300
};

struct way {
    const char* name;
    int (*open)(const struct way* way); /* a descriptor, or -errno */
    int family, type, protocol;
};

static int or_errno(long result) {
    return result < 0 ? -errno : (int)result;
}

static int by_socket(const struct way* way) {
    return or_errno(socket(way->family, way->type, way->protocol));
}

static int by_socketpair(const struct way* way) {
    int ends[2];
    return socketpair(way->family, way->type, way->protocol, ends) == 0 ? ends[0] : -errno;
}

/* The kernel looks at 32 bits of the family, seccomp at 64. */
static int by_wide_number(const struct way* way) {
    return or_errno(syscall(SYS_socket, 1L << 32 | way->family, way->type, way->protocol));
}

static int by_io_uring(const struct way* way) {
    struct io_uring_params params = {.flags = 0};
    const int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
    if (ring < 0) return -errno;
    uint8_t* queue =
        mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
             PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe* entry =
        mmap(NULL, sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    if (queue == MAP_FAILED || entry == MAP_FAILED || !(params.features & IORING_FEAT_SINGLE_MMAP))
        return -ENOTSUP;
    *entry = (struct io_uring_sqe){.opcode = IORING_OP_SOCKET,
                                   .fd = way->family,
                                   .off = (uint64_t)way->type,
                                   .len = (uint32_t)way->protocol};
    *(uint32_t*)(void*)(queue + params.sq_off.array) = 0;
    *(uint32_t*)(void*)(queue + params.sq_off.tail) = 1;
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        return -errno;
    const struct io_uring_cqe* done = (const void*)(queue + params.cq_off.cqes);
    return done->res;
}

#ifdef __x86_64__
static int i386_call(uint32_t number, uint32_t first, uint32_t second, uint32_t third) {
    int result = 0;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(second), "d"(third)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

static int by_socketcall(const struct way* way) {
    uint32_t* arguments =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (arguments == MAP_FAILED) return -errno;
    arguments[0] = (uint32_t)way->family;
    arguments[1] = (uint32_t)way->type;
    arguments[2] = (uint32_t)way->protocol;
    return i386_call(i386_socketcall, socketcall_socket, (uint32_t)(uintptr_t)arguments, 0);
}

static int by_i386_socket(const struct way* way) {
    return i386_call(i386_socket, (uint32_t)way->family, (uint32_t)way->type,
                     (uint32_t)way->protocol);
}

static int by_x32(const struct way* way) {
    return or_errno(syscall(SYS_socket | x32_bit, way->family, way->type, way->protocol));
}
#else
static int by_socketcall(const struct way* way) {
    (void)way;
    return -ENOTSUP;
}
#define by_i386_socket by_socketcall
#define by_x32 by_socketcall
#endif

static const struct way ways[] = {
    {"tcp", by_socket, AF_INET, SOCK_STREAM, any_protocol},
    {"tcp6", by_socket, AF_INET6, SOCK_STREAM, any_protocol},
    {"udp", by_socket, AF_INET, SOCK_DGRAM, any_protocol},
    {"udp6", by_socket, AF_INET6, SOCK_DGRAM, any_protocol},
    {"raw", by_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP},
    {"unix", by_socket, AF_UNIX, SOCK_STREAM, any_protocol},
    {"unix-pair", by_socketpair, AF_UNIX, SOCK_STREAM, any_protocol},
    {"netlink", by_socket, AF_NETLINK, SOCK_RAW, any_protocol},
    {"audit", by_socket, AF_NETLINK, SOCK_RAW, 9},
    {"alg", by_socket, AF_ALG, SOCK_SEQPACKET, any_protocol},
    {"packet", by_socket, AF_PACKET, SOCK_RAW, all_ethernet},
    {"vsock", by_socket, AF_VSOCK, SOCK_STREAM, any_protocol},
    {"vsock-datagram", by_socket, AF_VSOCK, SOCK_DGRAM, any_protocol},
    {"vsock-pair", by_socketpair, AF_VSOCK, SOCK_STREAM, any_protocol},
    {"vsock-wide", by_wide_number, AF_VSOCK, SOCK_STREAM, any_protocol},
    {"vsock-io_uring", by_io_uring, AF_VSOCK, SOCK_STREAM, any_protocol},
    {"vsock-socketcall", by_socketcall, AF_VSOCK, SOCK_STREAM, any_protocol},
    {"vsock-i386", by_i386_socket, AF_VSOCK, SOCK_STREAM, any_protocol},
    {"vsock-x32", by_x32, AF_VSOCK, SOCK_STREAM, any_protocol},
    {"tcp-socketcall", by_socketcall, AF_INET, SOCK_STREAM, any_protocol},
    {"xdp", by_socket, AF_XDP, SOCK_RAW, any_protocol},
    {"rds", by_socket, AF_RDS, SOCK_SEQPACKET, any_protocol},
    {"smc", by_socket, AF_SMC, SOCK_STREAM, any_protocol},
    {"tipc", by_socket, AF_TIPC, SOCK_RDM, any_protocol},
    {"tipc-pair", by_socketpair, AF_TIPC, SOCK_STREAM, any_protocol},
    {"bluetooth", by_socket, AF_BLUETOOTH, SOCK_RAW, any_protocol},
    {"can", by_socket, AF_CAN, SOCK_RAW, 1},
};

static const struct way* find(const char* name) {
    for (size_t i = 0; i < sizeof ways / sizeof *ways; ++i)
        if (strcmp(ways[i].name, name) == 0) return &ways[i];
    fprintf(stderr, "family: no way '%s'; known are", name);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; ++i) fprintf(stderr, " %s", ways[i].name);
    fputs("\n", stderr);
    exit(64);
}

/* In a child of its own, which a seccomp filter may kill. It tells by its exit status: 0, or the
 * errno. */
static void try(const struct way* way) {
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        const int result = way->open(way);
        _exit(result >= 0 ? 0 : -result);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("family");
        exit(71);
    }
    const char* word = "open";
    if (WIFSIGNALED(status))
        word = sigabbrev_np(WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        word = strerrorname_np(WEXITSTATUS(status));
    printf("%s %s%s\n", way->name, WIFSIGNALED(status) ? "SIG" : "",
           word != NULL ? word : "unknown");
}

int main(int argc, char** argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; ++i) find(argv[i]);
    for (int i = 1; i < argc; ++i) try(find(argv[i]));
    return 0;
}
