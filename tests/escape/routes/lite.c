/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* UDP-Lite: shares UDP's send path, but not the hook at connect(2). */
#include "deliver.h"

static int lite(int family) {
    return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
}

static int sendto_v4(const struct target* t) {
    return deliver_sendto(t, lite(AF_INET), address4(t->host4, t->port));
}

static int sendto_v6(const struct target* t) {
    return deliver_sendto(t, lite(AF_INET6), address6(&t->host6, t->port));
}

static int sendto_mapped(const struct target* t) {
    return deliver_sendto(t, lite(AF_INET6), mapped4(t->host4, t->port));
}

static int connect_v4(const struct target* t) {
    return deliver_connected(t, lite(AF_INET), address4(t->host4, t->port));
}

static int connect_v6(const struct target* t) {
    return deliver_connected(t, lite(AF_INET6), address6(&t->host6, t->port));
}

static int connect_mapped(const struct target* t) {
    return deliver_connected(t, lite(AF_INET6), mapped4(t->host4, t->port));
}

static int connect_link_local(const struct target* t) {
    return deliver_connected(t, lite(AF_INET6), scoped6(&t->link6, t->port, t));
}

const struct route lite_routes[] = {
    {"udplite/sendto-v4", "", sendto_v4},
    {"udplite/sendto-v6", "", sendto_v6},
    {"udplite/sendto-mapped", "", sendto_mapped},
    {"udplite/connect-v4", "", connect_v4},
    {"udplite/connect-v6", "", connect_v6},
    {"udplite/connect-mapped", "", connect_mapped},
    {"udplite/connect-link-local", "", connect_link_local},
    {0},
};
