// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Checks what was captured on the host's interfaces. Pure: bytes in, verdict out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace escape {

using Bytes = std::vector<uint8_t>;

enum class Interface { loopback, container_link, ext_link, other };

// A frame that came in by an interface of the host (or was looped back there).
struct Frame {
    Interface by;
    Bytes bytes;  // from the Ethernet header on
};

bool contains(const Bytes& haystack, const Bytes& needle);

// An error message of the kernel's about a packet that it could not deliver.
bool is_error_message(const Frame& frame);

struct Verdict {
    bool payload = false;  // a frame for the host carries the token, or a marker
    bool packet = false;   // any packet for the host that is not the kernel's own housekeeping
    std::string how;       // the first frame that decided, one with the token if there is one
};

// The host's addresses, in text, beyond those of lab.h.
using Addresses = std::vector<const char*>;

// What one attempt got to the host. `shared`: the sender is in the host's own namespace, so that
// only loopback counts; otherwise every interface does. Not counted without token or marker: ARP,
// IPv6 neighbour discovery and MLD, IGMP, and TCP segments that neither open a connection nor carry
// data, all of which the kernel sends by itself.
Verdict check(const std::vector<Frame>& frames, const Bytes& token,
              const std::vector<Bytes>& markers, const Addresses& also, bool shared);

}  // namespace escape
