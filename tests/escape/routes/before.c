/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Connections from before the jail: made by the container itself, and in its cgroup, when nothing
 * was denied yet (driver/earlier.h). */
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "deliver.h"

static int send_on(const struct target* t) {
    return done(EARLIER_SOCKET, put(t, EARLIER_SOCKET, 0));
}

static int ping_on(const struct target* t) {
    uint8_t packet[8 + PAYLOAD] = {ICMP_ECHO};

    fill_token(t, packet + 8, PAYLOAD);
    return done(EARLIER_SOCKET, send(EARLIER_SOCKET, packet, sizeof(packet), 0) < 0 ? errno : 0);
}

const struct route before_routes[] = {
    {"before/tcp-v4", "before", send_on},
    {"before/tcp-v6", "before", send_on},
    {"before/udp-v4", "before", send_on},
    {"before/udp-v6", "before", send_on},
    {"before/ping-v4", "before", ping_on},
    /* Had while the container could open them: what it may open now is another matter. */
    {"before/raw-v4", "before", send_on},
    {"before/raw-v6", "before", send_on},
    {0},
};
