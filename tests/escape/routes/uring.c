/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* io_uring: the socket calls without the system calls, from the caller's context, a worker's or a
 * polling thread's. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "deliver.h"
#include "ring.h"

static struct io_uring_sqe connect_entry(int fd, const struct address* to) {
    struct io_uring_sqe entry = {.opcode = IORING_OP_CONNECT,
                                 .fd = fd,
                                 .addr = (uint64_t)(uintptr_t)&to->any,
                                 .off = to->length};

    return entry;
}

static struct io_uring_sqe send_entry(int fd, const void* bytes, unsigned size) {
    struct io_uring_sqe entry = {
        .opcode = IORING_OP_SEND, .fd = fd, .addr = (uint64_t)(uintptr_t)bytes, .len = size};

    entry.msg_flags = MSG_NOSIGNAL;
    return entry;
}

static int finish(struct ring* ring, int fd, int result) {
    ring_close(ring);
    return done(fd, result < 0 ? -result : 0);
}

static int connected(const struct target* t, unsigned flags, int registered) {
    uint8_t bytes[PAYLOAD];
    struct address to = address4(t->host4, t->port);
    struct io_uring_sqe entry;
    struct ring ring;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = ring_open(&ring, flags);
    int result;

    if (error) return done(fd, error);
    if (registered && (error = ring_register_file(&ring, fd))) return finish(&ring, fd, -error);
    fill_token(t, bytes, sizeof(bytes));
    entry = connect_entry(registered ? 0 : fd, &to);
    entry.flags = registered ? IOSQE_FIXED_FILE : 0;
    result = ring_one(&ring, entry);
    if (result >= 0) {
        entry = send_entry(registered ? 0 : fd, bytes, sizeof(bytes));
        entry.flags = registered ? IOSQE_FIXED_FILE : 0;
        result = ring_one(&ring, entry);
    }
    return finish(&ring, fd, result);
}

static int connect_plain(const struct target* t) {
    return connected(t, 0, 0);
}

static int connect_polled(const struct target* t) {
    return connected(t, IORING_SETUP_SQPOLL, 0);
}

static int connect_registered(const struct target* t) {
    return connected(t, 0, 1);
}

static int connect_registered_polled(const struct target* t) {
    return connected(t, IORING_SETUP_SQPOLL, 1);
}

static int connect_worker(const struct target* t) {
    uint8_t bytes[PAYLOAD];
    struct address to = address4(t->host4, t->port);
    struct io_uring_sqe entry;
    struct ring ring;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = ring_open(&ring, 0);
    int result;

    if (error) return done(fd, error);
    fill_token(t, bytes, sizeof(bytes));
    entry = connect_entry(fd, &to);
    entry.flags = IOSQE_ASYNC;
    result = ring_one(&ring, entry);
    if (result >= 0) result = ring_one(&ring, send_entry(fd, bytes, sizeof(bytes)));
    return finish(&ring, fd, result);
}

/* One submission: a socket that never has a descriptor, its connect, its send. */
static int chain(const struct target* t) {
    uint8_t bytes[PAYLOAD];
    struct address to = address4(t->host4, t->port);
    struct io_uring_sqe entries[3] = {
        {.opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM, .file_index = 1}};
    struct ring ring;
    int results[3];
    int error = ring_open(&ring, 0);

    if (error) return error;
    error = ring_register_file(&ring, -1);
    fill_token(t, bytes, sizeof(bytes));
    entries[0].flags = IOSQE_IO_LINK;
    entries[1] = connect_entry(0, &to);
    entries[1].flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK;
    entries[2] = send_entry(0, bytes, sizeof(bytes));
    entries[2].flags = IOSQE_FIXED_FILE;
    if (!error) error = ring_run(&ring, entries, 3, results);
    ring_close(&ring);
    for (int i = 0; !error && i < 3; i++) error = results[i] < 0 ? -results[i] : 0;
    return error;
}

static int socket_op(const struct target* t) {
    struct io_uring_sqe entry = {.opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM};
    struct ring ring;
    int error = ring_open(&ring, 0);
    int fd;

    if (error) return error;
    fd = ring_one(&ring, entry);
    ring_close(&ring);
    return fd < 0 ? -fd : deliver_stream(t, fd, address4(t->host4, t->port));
}

static int send_message(const struct target* t, int type, unsigned flags, unsigned char opcode,
                        unsigned message_flags) {
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct address to = address4(t->host4, t->port);
    struct msghdr letter = {
        .msg_name = &to.any, .msg_namelen = to.length, .msg_iov = &part, .msg_iovlen = 1};
    struct io_uring_sqe entry = {.opcode = opcode, .addr = (uint64_t)(uintptr_t)&letter, .len = 1};
    struct ring ring;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    int error = ring_open(&ring, flags);
    int result;

    if (error) return done(fd, error);
    fill_token(t, bytes, sizeof(bytes));
    entry.fd = fd;
    entry.msg_flags = message_flags | MSG_NOSIGNAL;
    result = ring_one(&ring, entry);
    if (result == -EINPROGRESS) result = -joined(fd);
    if (type == SOCK_STREAM && result >= 0)
        result = ring_one(&ring, send_entry(fd, bytes, sizeof(bytes)));
    return finish(&ring, fd, result);
}

static int sendmsg_udp(const struct target* t) {
    return send_message(t, SOCK_DGRAM, 0, IORING_OP_SENDMSG, 0);
}

static int sendmsg_polled(const struct target* t) {
    return send_message(t, SOCK_DGRAM, IORING_SETUP_SQPOLL, IORING_OP_SENDMSG, 0);
}

static int sendmsg_zerocopy(const struct target* t) {
    return send_message(t, SOCK_DGRAM, 0, IORING_OP_SENDMSG_ZC, 0);
}

static int sendmsg_fastopen(const struct target* t) {
    return send_message(t, SOCK_STREAM, 0, IORING_OP_SENDMSG, MSG_FASTOPEN);
}

/* Since 6.0 a plain send may name a destination. */
static int send_addressed(const struct target* t, unsigned char opcode) {
    static uint8_t bytes[PAYLOAD];
    struct address to = address4(t->host4, t->port);
    struct io_uring_sqe entry;
    struct ring ring;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = ring_open(&ring, 0);

    if (error) return done(fd, error);
    fill_token(t, bytes, sizeof(bytes));
    entry = send_entry(fd, bytes, sizeof(bytes));
    entry.opcode = opcode;
    entry.addr2 = (uint64_t)(uintptr_t)&to.any;
    entry.addr_len = (uint16_t)to.length;
    return finish(&ring, fd, ring_one(&ring, entry));
}

static int send_to(const struct target* t) {
    return send_addressed(t, IORING_OP_SEND);
}

static int send_zerocopy_to(const struct target* t) {
    return send_addressed(t, IORING_OP_SEND_ZC);
}

const struct route uring_routes[] = {
    {"uring/connect", "", connect_plain},
    {"uring/connect-polled", "", connect_polled},
    {"uring/connect-worker", "", connect_worker},
    {"uring/connect-registered", "", connect_registered},
    {"uring/connect-registered-polled", "", connect_registered_polled},
    {"uring/socket", "", socket_op},
    {"uring/chain", "", chain},
    {"uring/sendmsg", "", sendmsg_udp},
    {"uring/sendmsg-polled", "", sendmsg_polled},
    {"uring/sendmsg-zerocopy", "", sendmsg_zerocopy},
    {"uring/sendmsg-fastopen", "", sendmsg_fastopen},
    {"uring/send-addressed", "", send_to},
    {"uring/send-zerocopy-addressed", "", send_zerocopy_to},
    {0},
};
