/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Bytes that reach a socket through a pipe or a file instead of a send call. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "deliver.h"

static int joined_to_host(const struct target* t, int type, int protocol, int* fd) {
    struct address to = address4(t->host4, t->port);

    *fd = socket(AF_INET, type, protocol);
    return *fd < 0 ? errno : join(*fd, &to);
}

static int by_sendfile(const struct target* t) {
    uint8_t bytes[PAYLOAD];
    off_t from = 0;
    int file = memfd_create("payload", MFD_CLOEXEC);
    int fd;
    int error = joined_to_host(t, SOCK_STREAM, 0, &fd);

    fill_token(t, bytes, sizeof(bytes));
    if (!error &&
        (write(file, bytes, sizeof(bytes)) < 0 || sendfile(fd, file, &from, sizeof(bytes)) < 0))
        error = errno;
    close(file);
    return done(fd, error);
}

static int through_pipe(const struct target* t, int type, int protocol, int gift) {
    static uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    int ends[2];
    int fd;
    int error = joined_to_host(t, type, protocol, &fd);

    fill_token(t, bytes, sizeof(bytes));
    if (!error && pipe2(ends, O_CLOEXEC) == 0) {
        if ((gift ? vmsplice(ends[1], &part, 1, 0) : write(ends[1], bytes, sizeof(bytes))) < 0 ||
            splice(ends[0], NULL, fd, NULL, sizeof(bytes), 0) < 0)
            error = errno;
        close(ends[0]);
        close(ends[1]);
    }
    return done(fd, error);
}

static int stream_splice(const struct target* t) {
    return through_pipe(t, SOCK_STREAM, 0, 0);
}

static int stream_vmsplice(const struct target* t) {
    return through_pipe(t, SOCK_STREAM, 0, 1);
}

static int udp_splice(const struct target* t) {
    return through_pipe(t, SOCK_DGRAM, 0, 0);
}

static int lite_splice(const struct target* t) {
    return through_pipe(t, SOCK_DGRAM, IPPROTO_UDPLITE, 0);
}

const struct route splice_routes[] = {
    {"splice/tcp-sendfile", "", by_sendfile},     {"splice/tcp", "", stream_splice},
    {"splice/tcp-vmsplice", "", stream_vmsplice}, {"splice/udp", "", udp_splice},
    {"splice/udplite", "", lite_splice},          {0},
};
