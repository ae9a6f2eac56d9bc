/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Address resolution: to find a neighbour, the kernel asks the whole link, the host included, for
 * an address of the socket's choice. */
#include <string.h>

#include "deliver.h"

static int ask_v6(const struct target* t) {
    struct in6_addr to = t->neighbour6;

    memcpy(to.s6_addr + 8, t->token, TOKEN_SIZE);
    return deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          address6(&to, t->port));
}

static int ask_v4(const struct target* t) {
    uint8_t address[4];
    struct in_addr to;

    memcpy(address, &t->own4, 4);
    /* Each time another: for one that it has just asked for in vain, the kernel asks no more. */
    address[3] = (uint8_t)(100 + t->turn % 100);
    say_marker(address, 4);
    memcpy(&to, address, 4);
    return deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), address4(to, t->port));
}

const struct route neighbour_routes[] = {
    {"neighbour/who-has-v4", "", ask_v4},
    {"neighbour/who-has-v6", "", ask_v6},
    {0},
};
