/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The adversary: what a program in a container would try in order to reach the host. One static
 * binary, so that it runs in any container or initramfs.
 *
 *   adversary --list              one line a route: name, a tab, needs
 *   adversary ROUTE KEY=VALUE...  tries it; the keys are those of main.c's set()
 *
 * Prints `marker=HEX` lines (see say_marker) and at the end `errno=N`: 0 when the kernel took
 * everything. Afterwards a datagram with the inverted token goes to ext, for the driver's control
 * that the network was alive. Exits 0 unless misused.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver.h"

static const struct route* const themes[] = {
    before_routes,    tcp_routes,      fastopen_routes, mptcp_routes,   uring_routes,
    udp_routes,       datagram_routes, lite_routes,     ping_routes,    raw4_routes,
    raw6_routes,      option_routes,   device_routes,   splice_routes,  multicast_routes,
    neighbour_routes, family_routes,   loopback_routes, network_routes, packet_routes,
    xdp_routes,       tunnel_routes,   nat_routes,      handed_routes,  shared_routes,
    spoof_routes,     memory_routes,
};

#define THEMES (sizeof(themes) / sizeof(themes[0]))

void say_marker(const void* bytes, size_t count) {
    const uint8_t* at = bytes;

    printf("marker=");
    for (size_t i = 0; i < count; i++) printf("%02x", at[i]);
    printf("\n");
}

static int parse_bytes(const char* text, char separator, uint8_t* out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        unsigned value;

        if (i > 0 && separator && *text++ != separator) return -1;
        if (sscanf(text, "%2x", &value) != 1) return -1;
        out[i] = (uint8_t)value;
        text += 2;
    }
    return *text ? -1 : 0;
}

static int parse_number(const char* text, uint32_t* out) {
    char* end;

    errno = 0;
    *out = (uint32_t)strtoul(text, &end, 10);
    return errno || *end || end == text ? -1 : 0;
}

static int set(struct target* target, const char* key, const char* value) {
    struct in_addr* v4 = !strcmp(key, "host4")       ? &target->host4
                         : !strcmp(key, "second4")   ? &target->second4
                         : !strcmp(key, "own4")      ? &target->own4
                         : !strcmp(key, "subnet4")   ? &target->subnet4
                         : !strcmp(key, "leg4")      ? &target->leg4
                         : !strcmp(key, "host_leg4") ? &target->host_leg4
                         : !strcmp(key, "service4")  ? &target->service4
                         : !strcmp(key, "ext4")      ? &target->ext4
                                                     : NULL;
    struct in6_addr* v6 = !strcmp(key, "host6")        ? &target->host6
                          : !strcmp(key, "link6")      ? &target->link6
                          : !strcmp(key, "own6")       ? &target->own6
                          : !strcmp(key, "leg6")       ? &target->leg6
                          : !strcmp(key, "host_leg6")  ? &target->host_leg6
                          : !strcmp(key, "service6")   ? &target->service6
                          : !strcmp(key, "ext6")       ? &target->ext6
                          : !strcmp(key, "neighbour6") ? &target->neighbour6
                                                       : NULL;
    uint32_t number = 0;

    if (v4) return inet_pton(AF_INET, value, v4) == 1 ? 0 : -1;
    if (v6) return inet_pton(AF_INET6, value, v6) == 1 ? 0 : -1;
    if (!strcmp(key, "ifname"))
        return snprintf(target->ifname, sizeof(target->ifname), "%s", value) <
                       (int)sizeof(target->ifname)
                   ? 0
                   : -1;
    if (!strcmp(key, "abstract"))
        return snprintf(target->abstract, sizeof(target->abstract), "%s", value) <
                       (int)sizeof(target->abstract)
                   ? 0
                   : -1;
    if (!strcmp(key, "host_mac")) return parse_bytes(value, ':', target->host_mac, 6);
    if (!strcmp(key, "own_mac")) return parse_bytes(value, ':', target->own_mac, 6);
    if (!strcmp(key, "token")) return parse_bytes(value, 0, target->token, TOKEN_SIZE);
    if (!strcmp(key, "netlink_port")) return parse_number(value, &target->netlink_port);
    if (!strcmp(key, "forget_ms")) return parse_number(value, &target->forget_ms);
    if (!strcmp(key, "turn")) return parse_number(value, &target->turn);
    if (!strcmp(key, "vsock_port")) return parse_number(value, &target->vsock_port);
    if (!strcmp(key, "port") && !parse_number(value, &number) && number <= UINT16_MAX) {
        target->port = (uint16_t)number;
        return 0;
    }
    return -1;
}

static void send_control(const struct target* target) {
    struct address to = address4(target->ext4, target->port);
    struct target inverted = *target;

    for (int i = 0; i < TOKEN_SIZE; i++) inverted.token[i] = (uint8_t)~target->token[i];
    deliver_sendto(&inverted, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), to);
}

static const struct route* find(const char* name) {
    for (size_t i = 0; i < THEMES; i++)
        for (const struct route* route = themes[i]; route->name; route++)
            if (!strcmp(route->name, name)) return route;
    return NULL;
}

int main(int argc, char** argv) {
    struct target target = {0};
    const struct route* route;

    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (size_t i = 0; i < THEMES; i++)
            for (route = themes[i]; route->name; route++)
                printf("%s\t%s\n", route->name, route->needs);
        return 0;
    }
    route = argc > 1 ? find(argv[1]) : NULL;
    if (!route) {
        fprintf(stderr, "usage: adversary --list | ROUTE KEY=VALUE...\n");
        return 64;
    }
    for (int i = 2; i < argc; i++) {
        char* value = strchr(argv[i], '=');

        if (value) *value++ = 0;
        if (!value || set(&target, argv[i], value)) {
            fprintf(stderr, "adversary: bad argument '%s'\n", argv[i]);
            return 64;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("errno=%d\n", route->run(&target));
    send_control(&target);
    return 0;
}
