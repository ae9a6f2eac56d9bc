// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The broker's end of a connection, which its starter has put on a descriptor (inetd(8),
// systemd's Accept=yes).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "broker/authorisation.h"
#include "broker/protocol.h"

namespace jail_ai {

// What comes first: what is asked and how long the parts will be, and the descriptor beside it. The
// descriptor is the sender's and may be anything; it is not to be read, and to close it may wait
// for its sender (close(2), FUSE), so that its server answers first.
struct Header {
    Head head;
    UniqueFd descriptor;
};

class Connection {
public:
    // Error: EX_USAGE if the descriptor is not a connected Unix stream socket. Doesn't own it.
    static Result<Connection> on(int fd);

    const Peer& peer() const { return peer_; }

    // Into `header`, which keeps the descriptor also of a rejected message. Errors: EX_PROTOCOL for
    // what is not a header, for a request to jail without a descriptor, and for more than one; what
    // parse_header() says. Waits for the sender until the deadline.
    Status receive_header(Header& header) const;

    // The parts. Descriptors that come with them are dropped by the kernel. Errors: EX_PROTOCOL if
    // they end too soon.
    Result<std::string> receive_body(const PartSizes& sizes) const;

    // Error: EX_IOERR if the peer has gone. Never waits.
    Status answer(const Reply& answer) const;

    // What a user is shown. Error: EX_IOERR if the peer has gone, or has not read it by the
    // deadline.
    Status answer_with_text(std::string_view text) const;

private:
    Connection(int fd, const Peer& peer) : fd_(fd), peer_(peer) {}

    int fd_;
    Peer peer_;
};

}  // namespace jail_ai
