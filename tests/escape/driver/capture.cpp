// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A packet capture; see capture.h.
#include "capture.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "failure.h"

namespace escape {

Capture::Capture(const Lab& lab) {
    lab.within(lab.host(), [&] {
        int room = 32 << 20;
        fd_ = jail_ai::UniqueFd(
            ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
        if (!fd_ || ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
            give_up("open the capture");
    });
    relearn(lab);
}

void Capture::relearn(const Lab& lab) {
    lab.within(lab.host(), [&] {
        container_link_ = static_cast<int>(::if_nametoindex("vh"));
        ext_link_ = static_cast<int>(::if_nametoindex("hx"));
    });
}

Interface Capture::interface_of(int index) const {
    if (index == 1) return Interface::loopback;
    if (index == container_link_) return Interface::container_link;
    return index == ext_link_ ? Interface::ext_link : Interface::other;
}

void Capture::drain(std::vector<Frame>& frames, std::vector<Frame>& outgoing) {
    static Bytes buffer(1 << 18);
    for (;;) {
        sockaddr_ll from{};
        socklen_t length = sizeof(from);
        ssize_t size = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &length);
        if (size < 0 && errno == EAGAIN) break;
        if (size < 0 && errno != ENETDOWN) give_up("read the capture");
        if (size < 0) continue;  // the container's link was replaced
        Frame frame{interface_of(from.sll_ifindex), Bytes(buffer.begin(), buffer.begin() + size)};
        (from.sll_pkttype == PACKET_OUTGOING ? outgoing : frames).push_back(std::move(frame));
    }
    tpacket_stats stats{};
    socklen_t length = sizeof(stats);
    if (::getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &length))
        give_up("read the capture's statistics");
    if (stats.tp_drops != 0) {
        errno = ENOBUFS;
        give_up("the capture lost packets");
    }
}

}  // namespace escape
