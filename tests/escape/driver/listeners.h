// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What listens on the host and on ext: so that connections come about, and to see what crosses no
// wire (Unix sockets, netlink, vsock, groups looped back inside one namespace).
#pragma once

#include <poll.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "frames.h"
#include "lab.h"

namespace escape {

class Listeners {
public:
    explicit Listeners(const Lab& lab);

    // Joins the groups anew on the container's fresh link.
    void rejoin(const Lab& lab);

    // The descriptors to poll for input.
    void append_to(std::vector<pollfd>& fds) const;
    // Accepts, reads and echoes whatever there is; what the host's sockets received is kept until
    // forgotten.
    void serve();
    bool host_received(const Bytes& token) const;
    void forget();

    const std::string& abstract_name() const { return abstract_; }
    uint32_t netlink_port() const { return netlink_port_; }
    static constexpr uint32_t vsock_port = 20010;

private:
    enum class Kind {
        host_stream,
        host_datagram,
        host_reflector,
        host_group,
        host_connection,
        ext_stream,
        ext_datagram,
        ext_echo,
        ext_forger,
        ext_connection
    };
    struct Socket {
        Kind kind;
        jail_ai::UniqueFd fd;
    };
    void add(Kind kind, int fd, const std::string& what);
    void forge(const Bytes& order);
    void open_host();
    void open_ext();

    std::vector<Socket> sockets_;
    std::vector<Bytes> received_;
    jail_ai::UniqueFd announcer_;  // UDP on the host
    jail_ai::UniqueFd forge_;      // raw IPv6 on ext
    std::string abstract_;
    uint32_t netlink_port_ = 0;
};

}  // namespace escape
