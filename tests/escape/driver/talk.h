// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Ordinary conversations over sockets, for the half of the suite that says what must go on working.
// Everything is bounded in time.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/unique_fd.h"

namespace escape {

inline constexpr int talk_patience_ms = 30000;

struct Endpoint {
    sockaddr_storage room{};
    socklen_t length = 0;

    // "10.0.0.1", "fd00::1" or "fe80::1%eth0"; the scope is looked up in the calling thread's
    // network namespace.
    Endpoint(const std::string& address, uint16_t at);
    Endpoint() : length(sizeof(room)) {}
    int family() const { return room.ss_family; }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&room); }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&room); }
};

// A socket with receive and send timeouts; of a stream server, listening. Invalid on failure, with
// errno.
jail_ai::UniqueFd open_client(int family, int type, int protocol = 0);
jail_ai::UniqueFd open_server(const Endpoint& at, int type, int protocol = 0);

// Sends and receives `bytes` at the same time and compares what came: 0 or an errno (EBADMSG: the
// wrong bytes).
int exchange(int fd, size_t bytes);
// Connects, then exchange().
int exchange_with(const Endpoint& server, size_t bytes, int protocol = 0);
// Accepts one connection, then exchange().
int serve_exchange(int listener, size_t bytes);

// Datagrams of `size` equal bytes: 0 or an errno (EBADMSG: something else came).
int send_datagram(int fd, const Endpoint* to, uint8_t filling, size_t size);
int receive_datagram(int fd, Endpoint* from, uint8_t filling, size_t size);
// One each way.
int ask_by_datagram(const Endpoint& server, size_t size);
int answer_by_datagram(int fd, size_t size);

// An echo request and its reply: 0 or an errno.
int ping(const Endpoint& to);

}  // namespace escape
