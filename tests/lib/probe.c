/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Says in one word what becomes of an attempt to reach an address, and plays the far end of such
   attempts. Tests run it inside containers whose root file system holds nothing else, so it is one
   static executable without dependencies; and it tells the errno by name, since only that separates
   a denial (EPERM) from a network that is merely dead. Usage: see usage(). */
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

enum {
    max_listeners = 64,
    default_timeout_ms = 3000,
    bulk_bytes = 20000000,
    large_bytes = 8000,
    inherited_fd = 3
};

struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } address;
    socklen_t length;
    const char* device; /* that IPv4 is to leave by; NULL for whichever the kernel chooses */
};

struct listener {
    int fd;
    char kind; /* the first letter of its service; b for udp-back */
    const char* message;
};

static _Noreturn void usage(void) {
    fputs(
        "usage: probe PROBE [-- PROBE]...\n"
        "       probe listen SERVICE [-- SERVICE]... [then PROBE [-- PROBE]...]\n"
        "       probe exchange PATH PATH\n"
        "PROBE:   tcp|bulk|inherited|udp|udp-large|udp-connect|udp-unspec ADDR PORT [TIMEOUT_MS] | "
        "ask ADDR PORT ADDR PORT\n"
        "SERVICE: tcp ADDR PORT [MESSAGE] | echo|udp|udp-back ADDR PORT | log PATH\n"
        "ADDR:    a.b.c.d, IPv6, ::ffff:a.b.c.d (on an IPv6 socket), fe80::x%interface or "
        "a.b.c.d%interface (on a socket bound to it)\n"
        "A probe prints reached, timeout or an errno name; several print 'KIND ADDR PORT RESULT', "
        "a line each. bulk has an echo service\n"
        "send back 20 MB and compares them, inherited connects the listening socket that came as "
        "descriptor 3, udp-large travels in\n"
        "fragments, ask has a udp service send a datagram to the second address, and prints 'sent' "
        "or the errno name it got.\n"
        "listen prints 'ready' once it listens: tcp sends MESSAGE and closes, echo sends back what "
        "it gets, udp too, udp-back by way of\n"
        "connect(), log prints what arrives at a Unix datagram socket. With 'then' it goes on to "
        "probe, prints 'probed' and serves until\n"
        "SIGTERM. exchange prints 'ready', and has the two change places again and again.\n",
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
        if (scope != NULL) endpoint.device = strchr(address, '%') + 1;
        return endpoint;
    }
    memset(&endpoint.address, 0, sizeof endpoint.address);
    if (inet_pton(AF_INET6, literal, &endpoint.address.v6.sin6_addr) != 1) usage();
    endpoint.address.v6.sin6_family = AF_INET6;
    endpoint.address.v6.sin6_port = htons((uint16_t)number);
    if (scope != NULL && (endpoint.address.v6.sin6_scope_id = if_nametoindex(scope)) == 0)
        fail(address);
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

static int open_socket_to(const struct endpoint* to, int type) {
    const int fd = open_socket(to->address.any.sa_family, type);
    if (to->device != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, to->device, (socklen_t)strlen(to->device)) != 0)
        fail(to->device);
    return fd;
}

/* Of a socket that doesn't block; NULL once it is connected. */
static const char* connect_failure(int fd, const struct endpoint* to, int timeout_ms) {
    if (connect(fd, &to->address.any, to->length) == 0) return NULL;
    if (errno != EINPROGRESS) return error_word(errno);
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    if (poll(&writable, 1, timeout_ms) == 0) return "timeout";
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) fail("getsockopt");
    return error == 0 ? NULL : error_word(error);
}

static uint8_t bulk_byte(uint64_t offset) {
    return (uint8_t)((offset / 8 + 1) * 0x9e3779b97f4a7c15u >> offset % 8 * 8);
}

static const char* exchange_bulk(int fd, int timeout_ms) {
    static uint8_t buffer[65536];
    uint64_t sent = 0, received = 0;
    while (received < bulk_bytes) {
        struct pollfd ready = {.fd = fd,
                               .events = (short)(sent < bulk_bytes ? POLLIN | POLLOUT : POLLIN)};
        if (poll(&ready, 1, timeout_ms) == 0) return "timeout";
        if (ready.revents & POLLOUT) {
            const size_t size =
                bulk_bytes - sent < sizeof buffer ? bulk_bytes - sent : sizeof buffer;
            for (size_t i = 0; i < size; ++i) buffer[i] = bulk_byte(sent + i);
            const ssize_t count = send(fd, buffer, size, MSG_NOSIGNAL);
            if (count < 0) return error_word(errno);
            sent += (uint64_t)count;
        }
        if (ready.revents & ~POLLOUT) {
            const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
            if (count < 0) return error_word(errno);
            if (count == 0) return "truncated";
            for (ssize_t i = 0; i < count; ++i)
                if (buffer[i] != bulk_byte(received++)) return "garbled";
        }
    }
    return "reached";
}

static const char* probe_tcp(const char* kind, const struct endpoint* to, int timeout_ms) {
    const bool inherited = strcmp(kind, "inherited") == 0;
    const int fd = inherited ? inherited_fd : open_socket_to(to, SOCK_STREAM);
    /* It stops listening by that, and may connect. */
    if (inherited && (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || shutdown(fd, SHUT_RD) != 0))
        return error_word(errno);
    const char* word = connect_failure(fd, to, timeout_ms);
    if (word == NULL) word = strcmp(kind, "bulk") == 0 ? exchange_bulk(fd, timeout_ms) : "reached";
    close(fd);
    return word;
}

static const char* await_echo(int fd, const void* sent, size_t size, int timeout_ms) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    char received[large_bytes + 1];
    ssize_t count;
    do { /* what poll(2) saw may be a datagram that recv(2) drops */
        if (poll(&readable, 1, timeout_ms) == 0) return "timeout";
        count = recv(fd, received, sizeof received, 0);
    } while (count < 0 && errno == EAGAIN);
    if (count < 0) return error_word(errno);
    return (size_t)count == size && memcmp(received, sent, size) == 0 ? "reached" : "garbled";
}

static const char* probe_udp(const char* kind, struct endpoint* to, int timeout_ms) {
    static uint32_t sequence;
    const uint32_t datagram[large_bytes / sizeof(uint32_t)] = {(uint32_t)getpid(), ++sequence};
    const size_t size = strcmp(kind, "udp-large") == 0 ? sizeof datagram : 2 * sizeof *datagram;
    const int family = to->address.any.sa_family;
    const int fd = open_socket_to(to, SOCK_DGRAM);
    /* Without it an ICMP answer to sendto() would be silence, and a closed port would look like a
     * dead network. */
    if (family == AF_INET)
        set_option(fd, IPPROTO_IP, IP_RECVERR);
    else
        set_option(fd, IPPROTO_IPV6, IPV6_RECVERR);
    ssize_t sent = -1;
    if (strcmp(kind, "udp-connect") == 0) {
        if (connect(fd, &to->address.any, to->length) == 0) sent = send(fd, datagram, size, 0);
    } else {
        if (strcmp(kind, "udp-unspec") == 0) to->address.any.sa_family = AF_UNSPEC;
        sent = sendto(fd, datagram, size, 0, &to->address.any, to->length);
    }
    const char* word = sent < 0 ? error_word(errno) : await_echo(fd, datagram, size, timeout_ms);
    close(fd);
    return word;
}

static const char* probe_ask(const struct endpoint* to, const char* address, const char* port) {
    static char answer[64];
    char request[sizeof answer];
    const int size = snprintf(request, sizeof request, "send %s %s", address, port);
    if (size >= (int)sizeof request) usage();
    const int fd = open_socket(to->address.any.sa_family, SOCK_DGRAM);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    const char* word = answer;
    if (sendto(fd, request, (size_t)size, 0, &to->address.any, to->length) < 0)
        word = error_word(errno);
    else if (poll(&readable, 1, default_timeout_ms) == 0)
        word = "timeout";
    else
        answer[recv(fd, answer, sizeof answer - 1, 0)] = '\0';
    close(fd);
    return word;
}

static bool is_one_of(const char* word, const char* const* words) {
    while (*words != NULL && strcmp(word, *words) != 0) ++words;
    return *words != NULL;
}

static const char* probe(int count, char** words) {
    static const char* const tcp_kinds[] = {"tcp", "bulk", "inherited", NULL};
    static const char* const udp_kinds[] = {"udp", "udp-large", "udp-connect", "udp-unspec", NULL};
    if (count < 3) usage();
    struct endpoint to = parse_endpoint(words[1], words[2]);
    if (count == 5 && strcmp(words[0], "ask") == 0) return probe_ask(&to, words[3], words[4]);
    const int timeout_ms = count == 4 ? atoi(words[3]) : default_timeout_ms;
    if (count > 4 || timeout_ms <= 0) usage();
    if (is_one_of(words[0], tcp_kinds)) return probe_tcp(words[0], &to, timeout_ms);
    if (!is_one_of(words[0], udp_kinds)) usage();
    return probe_udp(words[0], &to, timeout_ms);
}

/* How many words stand before the next "--" (or "then"). */
static int item_length(int count, char** words) {
    int length = 0;
    while (length < count && strcmp(words[length], "--") != 0 && strcmp(words[length], "then") != 0)
        ++length;
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
        struct endpoint at = {.address.local.sun_family = AF_UNIX,
                              .length = sizeof at.address.local};
        if (strlen(words[1]) >= sizeof at.address.local.sun_path) usage();
        strcpy(at.address.local.sun_path, words[1]);
        const int fd = open_socket(AF_UNIX, SOCK_DGRAM);
        if (bind(fd, &at.address.any, at.length) != 0) fail(words[1]);
        return (struct listener){.fd = fd, .kind = 'l'};
    }
    static const char* const services[] = {"tcp", "echo", "udp", "udp-back", NULL};
    if (count < 3 || count > 4 || !is_one_of(words[0], services)) usage();
    const bool tcp = words[0][0] != 'u';
    const struct endpoint at = parse_endpoint(words[1], words[2]);
    const int fd = open_socket(at.address.any.sa_family, tcp ? SOCK_STREAM : SOCK_DGRAM);
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    set_option(fd, IPPROTO_IP,
               IP_FREEBIND); /* the address of a bridge comes with the bridge's first container */
    if (bind(fd, &at.address.any, at.length) != 0) fail(words[1]);
    if (tcp && listen(fd, 128) != 0) fail("listen");
    const char kind = strcmp(words[0], "udp-back") == 0 ? 'b' : words[0][0];
    return (struct listener){.fd = fd, .kind = kind, .message = count == 4 ? words[3] : ""};
}

/* In a process of its own, so that one client can't make others wait. */
static void echo(int client) {
    if (fork() != 0) return;
    char data[65536];
    for (;;) {
        const ssize_t count = recv(client, data, sizeof data, 0);
        if (count <= 0) _exit(0);
        for (ssize_t sent = 0; sent < count;) {
            const ssize_t more = send(client, data + sent, (size_t)(count - sent), MSG_NOSIGNAL);
            if (more < 0) _exit(0);
            sent += more;
        }
    }
}

static void serve_stream(const struct listener* listener) {
    const int client = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) return;
    if (listener->kind == 'e')
        echo(client);
    else
        send(client, listener->message, strlen(listener->message), MSG_NOSIGNAL);
    close(client);
}

static void serve_datagram(const struct listener* listener) {
    char data[large_bytes + 1];
    char address[INET6_ADDRSTRLEN], port[6];
    struct endpoint from = {.length = sizeof from.address};
    const ssize_t count =
        recvfrom(listener->fd, data, sizeof data - 1, 0, &from.address.any, &from.length);
    if (count <= 0)
        return; /* what an order sends is empty, so that two services don't echo each other for ever
                 */
    data[count] = '\0';
    if (listener->kind == 'l') {
        for (ssize_t i = 0; i < count; ++i) putchar((unsigned char)data[i] < ' ' ? ' ' : data[i]);
        putchar('\n');
    } else if (listener->kind == 'b') {
        if (connect(listener->fd, &from.address.any, from.length) != 0) return;
        send(listener->fd, data, (size_t)count, 0);
        from.address.any.sa_family = AF_UNSPEC;
        if (connect(listener->fd, &from.address.any, from.length) != 0) fail("disconnect");
    } else if (sscanf(data, "send %45s %5s", address, port) == 2) {
        const struct endpoint to = parse_endpoint(address, port);
        const char* word = sendto(listener->fd, data, 0, 0, &to.address.any, to.length) == 0
                               ? "sent"
                               : error_word(errno);
        sendto(listener->fd, word, strlen(word), 0, &from.address.any, from.length);
    } else {
        sendto(listener->fd, data, (size_t)count, 0, &from.address.any, from.length);
    }
}

static _Noreturn void serve(const struct listener* listeners, nfds_t count) {
    struct pollfd polled[max_listeners];
    for (nfds_t i = 0; i < count; ++i)
        polled[i] = (struct pollfd){.fd = listeners[i].fd, .events = POLLIN};
    for (;;) {
        if (poll(polled, count, -1) < 0 && errno != EINTR) fail("poll");
        for (nfds_t i = 0; i < count; ++i)
            if (polled[i].revents != 0)
                (strchr("te", listeners[i].kind) != NULL ? serve_stream
                                                         : serve_datagram)(&listeners[i]);
    }
}

/* Process 1 of a pid namespace ignores SIGTERM unless it asks for it, and "podman stop" would then
 * wait for ten seconds. */
static void leave(int signal_number) {
    (void)signal_number;
    _exit(0);
}

static _Noreturn void listen_all(int count, char** words) {
    struct listener listeners[max_listeners];
    nfds_t open = 0;
    bool then = false;
    signal(SIGTERM, leave);
    signal(SIGCHLD, SIG_IGN);
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

static _Noreturn void exchange(const char* one, const char* other) {
    puts("ready");
    for (;;) {
        if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0) fail("exchange");
        usleep(1000);
    }
}

int main(int argc, char** argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2) usage();
    if (strcmp(argv[1], "listen") == 0) listen_all(argc - 2, argv + 2);
    if (strcmp(argv[1], "exchange") == 0 && argc == 4) exchange(argv[2], argv[3]);
    probe_all(argc - 1, argv + 1);
    return 0;
}
