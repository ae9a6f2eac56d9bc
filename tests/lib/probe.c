/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Says in one word what becomes of an attempt to reach an address, and plays the far end of such attempts. Tests run it inside
   containers whose root file system holds nothing else, so it is one static executable without dependencies; and it tells the errno
   by name, since only that separates a denial (EPERM) from a network that is merely dead. Usage: see usage(). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { max_listeners = 64, default_timeout_ms = 1000 };

struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } address;
    socklen_t length;
};

struct listener {
    int fd;
    char kind; /* t, u or l: tcp, udp, log */
    const char* message;
};

static _Noreturn void usage(void) {
    fputs(
        "usage: probe PROBE [-- PROBE]...\n"
        "       probe listen SERVICE [-- SERVICE]... [then PROBE [-- PROBE]...]\n"
        "PROBE:   tcp|udp|udp-connect|udp-unspec ADDR PORT [TIMEOUT_MS]\n"
        "SERVICE: tcp|udp ADDR PORT [MESSAGE] | log PATH\n"
        "ADDR:    a.b.c.d, IPv6, ::ffff:a.b.c.d (on an IPv6 socket) or fe80::x%interface\n"
        "A probe prints reached, timeout or an errno name; several print 'KIND ADDR PORT RESULT', a line each.\n"
        "listen prints 'ready' once it listens: tcp sends MESSAGE and closes, udp echoes, log prints what arrives at a Unix datagram\n"
        "socket. With 'then' it goes on to probe, prints 'probed' and serves until SIGTERM.\n",
        stderr);
    exit(64);
}

static _Noreturn void fail(const char* what) {
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    exit(71);
}

static struct endpoint parse_endpoint(const char* address, const char* port) {
    struct endpoint endpoint = {.length = 0};
    char* end = NULL;
    const unsigned long number = strtoul(port, &end, 10);
    if (*port == '\0' || *end != '\0' || number > UINT16_MAX) usage();
    char literal[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
    if (strlen(address) >= sizeof literal) usage();
    strcpy(literal, address);
    char* scope = strchr(literal, '%');
    if (scope != NULL) *scope++ = '\0';
    if (inet_pton(AF_INET, literal, &endpoint.address.v4.sin_addr) == 1) {
        endpoint.address.v4.sin_family = AF_INET;
        endpoint.address.v4.sin_port = htons((uint16_t)number);
        endpoint.length = sizeof endpoint.address.v4;
        return endpoint;
    }
    memset(&endpoint.address, 0, sizeof endpoint.address);
    if (inet_pton(AF_INET6, literal, &endpoint.address.v6.sin6_addr) != 1) usage();
    endpoint.address.v6.sin6_family = AF_INET6;
    endpoint.address.v6.sin6_port = htons((uint16_t)number);
    if (scope != NULL && (endpoint.address.v6.sin6_scope_id = if_nametoindex(scope)) == 0) fail(address);
    endpoint.length = sizeof endpoint.address.v6;
    return endpoint;
}

static const char* error_word(int error) {
    const char* name = strerrorname_np(error);
    return name != NULL ? name : "unknown";
}

static int open_socket(int family, int type) {
    const int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) fail("socket");
    return fd;
}

static void set_option(int fd, int level, int option) {
    const int on = 1;
    if (setsockopt(fd, level, option, &on, sizeof on) != 0) fail("setsockopt");
}

static const char* probe_tcp(const struct endpoint* to, int timeout_ms) {
    const int fd = open_socket(to->address.any.sa_family, SOCK_STREAM);
    const char* word = "reached";
    if (connect(fd, &to->address.any, to->length) != 0) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        int error = errno;
        socklen_t size = sizeof error;
        if (error != EINPROGRESS)
            word = error_word(error);
        else if (poll(&writable, 1, timeout_ms) == 0)
            word = "timeout";
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            fail("getsockopt");
        else if (error != 0)
            word = error_word(error);
    }
    close(fd);
    return word;
}

static const char* await_echo(int fd, const void* sent, size_t size, int timeout_ms) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, timeout_ms) == 0) return "timeout";
    char received[64];
    const ssize_t count = recv(fd, received, sizeof received, 0);
    if (count < 0) return error_word(errno);
    return (size_t)count == size && memcmp(received, sent, size) == 0 ? "reached" : "garbled";
}

static const char* probe_udp(const char* kind, struct endpoint* to, int timeout_ms) {
    static uint32_t sequence;
    const uint32_t datagram[2] = {(uint32_t)getpid(), ++sequence};
    const int family = to->address.any.sa_family;
    const int fd = open_socket(family, SOCK_DGRAM);
    /* Without it an ICMP answer to sendto() would be silence, and a closed port would look like a dead network. */
    if (family == AF_INET)
        set_option(fd, IPPROTO_IP, IP_RECVERR);
    else
        set_option(fd, IPPROTO_IPV6, IPV6_RECVERR);
    ssize_t sent = -1;
    if (strcmp(kind, "udp-connect") == 0) {
        if (connect(fd, &to->address.any, to->length) == 0) sent = send(fd, datagram, sizeof datagram, 0);
    } else {
        if (strcmp(kind, "udp-unspec") == 0) to->address.any.sa_family = AF_UNSPEC;
        sent = sendto(fd, datagram, sizeof datagram, 0, &to->address.any, to->length);
    }
    const char* word = sent < 0 ? error_word(errno) : await_echo(fd, datagram, sizeof datagram, timeout_ms);
    close(fd);
    return word;
}

static const char* probe(int count, char** words) {
    if (count < 3 || count > 4) usage();
    struct endpoint to = parse_endpoint(words[1], words[2]);
    const int timeout_ms = count == 4 ? atoi(words[3]) : default_timeout_ms;
    if (timeout_ms <= 0) usage();
    if (strcmp(words[0], "tcp") == 0) return probe_tcp(&to, timeout_ms);
    if (strcmp(words[0], "udp") != 0 && strcmp(words[0], "udp-connect") != 0 && strcmp(words[0], "udp-unspec") != 0) usage();
    return probe_udp(words[0], &to, timeout_ms);
}

/* How many words stand before the next "--" (or "then"). */
static int item_length(int count, char** words) {
    int length = 0;
    while (length < count && strcmp(words[length], "--") != 0 && strcmp(words[length], "then") != 0) ++length;
    return length;
}

static void probe_all(int count, char** words) {
    const bool single = item_length(count, words) == count;
    while (count > 0) {
        const int length = item_length(count, words);
        const char* word = probe(length, words);
        if (single)
            puts(word);
        else
            printf("%s %s %s %s\n", words[0], words[1], words[2], word);
        if (length == count) return;
        count -= length + 1;
        words += length + 1;
    }
    usage();
}

static struct listener open_listener(int count, char** words) {
    if (count == 2 && strcmp(words[0], "log") == 0) {
        struct endpoint at = {.address.local.sun_family = AF_UNIX, .length = sizeof at.address.local};
        if (strlen(words[1]) >= sizeof at.address.local.sun_path) usage();
        strcpy(at.address.local.sun_path, words[1]);
        const int fd = open_socket(AF_UNIX, SOCK_DGRAM);
        if (bind(fd, &at.address.any, at.length) != 0) fail(words[1]);
        return (struct listener){.fd = fd, .kind = 'l'};
    }
    if (count < 3 || count > 4) usage();
    const bool tcp = strcmp(words[0], "tcp") == 0;
    if (!tcp && strcmp(words[0], "udp") != 0) usage();
    const struct endpoint at = parse_endpoint(words[1], words[2]);
    const int fd = open_socket(at.address.any.sa_family, tcp ? SOCK_STREAM : SOCK_DGRAM);
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    set_option(fd, IPPROTO_IP, IP_FREEBIND); /* the address of a bridge comes with the bridge's first container */
    if (bind(fd, &at.address.any, at.length) != 0) fail(words[1]);
    if (tcp && listen(fd, 128) != 0) fail("listen");
    return (struct listener){.fd = fd, .kind = tcp ? 't' : 'u', .message = count == 4 ? words[3] : ""};
}

static void serve_once(const struct listener* listener) {
    if (listener->kind == 't') {
        const int client = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) return;
        send(client, listener->message, strlen(listener->message), MSG_NOSIGNAL);
        close(client);
        return;
    }
    char data[2048];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    const ssize_t count = recvfrom(listener->fd, data, sizeof data, 0, (struct sockaddr*)&from, &size);
    if (count < 0) return;
    if (listener->kind == 'u') {
        sendto(listener->fd, data, (size_t)count, 0, (struct sockaddr*)&from, size);
        return;
    }
    for (ssize_t i = 0; i < count; ++i) putchar((unsigned char)data[i] < ' ' ? ' ' : data[i]);
    putchar('\n');
}

static _Noreturn void serve(const struct listener* listeners, nfds_t count) {
    struct pollfd polled[max_listeners];
    for (nfds_t i = 0; i < count; ++i) polled[i] = (struct pollfd){.fd = listeners[i].fd, .events = POLLIN};
    for (;;) {
        if (poll(polled, count, -1) < 0 && errno != EINTR) fail("poll");
        for (nfds_t i = 0; i < count; ++i)
            if (polled[i].revents != 0) serve_once(&listeners[i]);
    }
}

/* Process 1 of a pid namespace ignores SIGTERM unless it asks for it, and "podman stop" would then wait for ten seconds. */
static void leave(int signal_number) {
    (void)signal_number;
    _exit(0);
}

static _Noreturn void listen_all(int count, char** words) {
    struct listener listeners[max_listeners];
    nfds_t open = 0;
    bool then = false;
    signal(SIGTERM, leave);
    while (count > 0 && !then) {
        const int length = item_length(count, words);
        if (open == max_listeners) usage();
        listeners[open++] = open_listener(length, words);
        then = length < count && strcmp(words[length], "then") == 0;
        const int used = length < count ? length + 1 : length;
        count -= used;
        words += used;
    }
    if (open == 0) usage();
    puts("ready");
    if (!then) serve(listeners, open);
    const pid_t server = fork();
    if (server < 0) fail("fork");
    if (server == 0) serve(listeners, open);
    probe_all(count, words);
    puts("probed");
    waitpid(server, NULL, 0);
    exit(71);
}

int main(int argc, char** argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2) usage();
    if (strcmp(argv[1], "listen") == 0) listen_all(argc - 2, argv + 2);
    probe_all(argc - 1, argv + 1);
    return 0;
}
