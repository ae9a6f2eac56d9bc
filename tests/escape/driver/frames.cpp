// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Checks captured frames; see frames.h.
#include "frames.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace escape {

namespace {

constexpr size_t ethernet_size = 14;

uint16_t word(const Bytes& bytes, size_t at) {
    return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

bool is_one_of(const Addresses& also, int family, const uint8_t* at) {
    return std::any_of(also.begin(), also.end(), [&](const char* text) {
        uint8_t address[16];
        return ::inet_pton(family, text, address) == 1 &&
               std::equal(address, address + (family == AF_INET ? 4 : 16), at);
    });
}

// The host of the laboratory, every group and broadcast address that it listens to, and what means
// "myself".
bool is_host_v4(const uint8_t* at, const Addresses& also) {
    static constexpr std::array<std::array<uint8_t, 4>, 6> own = {{
        {10, 77, 0, 1},
        {10, 77, 9, 1},
        {10, 78, 0, 1},
        {10, 77, 0, 255},
        {10, 77, 0, 0},
        {10, 78, 0, 255},
    }};
    return at[0] >= 224 || at[0] == 127 || at[0] == 0 || is_one_of(also, AF_INET, at) ||
           std::any_of(own.begin(), own.end(), [&](const auto& address) {
               return std::equal(address.begin(), address.end(), at);
           });
}

bool is_host_v6(const uint8_t* at, const Addresses& also) {
    static constexpr std::array<const char*, 7> own = {
        "fd77::1", "fd78::1", "fd77::", "fd78::", "fe80::77:1", "fe80::78:1", "::1"};
    static constexpr std::array<uint8_t, 10> zeros{};
    if (at[0] == 0xff || is_one_of(also, AF_INET6, at)) return true;
    for (const char* text : own) {
        uint8_t address[16];
        if (::inet_pton(AF_INET6, text, address) == 1 && std::equal(address, address + 16, at))
            return true;
    }
    // Disguises of IPv4: what a translator or tunnel on the host would take out and deliver to
    // itself.
    if (at[0] == 0x20 && at[1] == 0x02) return is_host_v4(at + 2, also);
    bool disguised = std::equal(zeros.begin(), zeros.begin() + 8, at) ||
                     (at[0] == 0 && at[1] == 0x64 && at[2] == 0xff && at[3] == 0x9b);
    if (disguised && is_host_v4(at + 12, also)) return true;
    // RFC 6052 2.2, in RFC 8215's prefix cut to 48, 56 or 64 bits: the IPv4 address stands around
    // byte 8.
    static constexpr uint8_t local_use[6] = {0, 0x64, 0xff, 0x9b, 0, 1};
    static constexpr size_t places[3][4] = {{6, 7, 9, 10}, {7, 9, 10, 11}, {9, 10, 11, 12}};
    return std::equal(local_use, local_use + 6, at) &&
           std::any_of(std::begin(places), std::end(places), [&](const size_t(&place)[4]) {
               const uint8_t v4[4] = {at[place[0]], at[place[1]], at[place[2]], at[place[3]]};
               return v4[0] != 0 && is_host_v4(v4, also);
           });
}

// A TCP segment the kernel may send by itself: no data, and not the first of a connection.
bool is_bare_segment(const Bytes& bytes, size_t tcp, size_t end) {
    if (tcp + 20 > bytes.size()) return false;
    uint8_t flags = bytes[tcp + 13];
    size_t header = static_cast<size_t>(bytes[tcp + 12] >> 4) * 4;
    bool opens = (flags & 0x12) == 0x02;
    return !opens && flags != 0 && tcp + header >= end;
}

enum class Kind { elsewhere, housekeeping, packet };

Kind classify_v4(const Bytes& bytes, const Addresses& also) {
    if (bytes.size() < ethernet_size + 20) return Kind::packet;
    if (!is_host_v4(&bytes[ethernet_size + 16], also)) return Kind::elsewhere;
    size_t header = static_cast<size_t>(bytes[ethernet_size] & 15) * 4;
    uint8_t protocol = bytes[ethernet_size + 9];
    if (protocol == IPPROTO_IGMP) return Kind::housekeeping;
    bool fragment = (word(bytes, ethernet_size + 6) & 0x3fff) != 0;
    if (protocol == IPPROTO_TCP && !fragment &&
        is_bare_segment(bytes, ethernet_size + header,
                        ethernet_size + word(bytes, ethernet_size + 2)))
        return Kind::housekeeping;
    return Kind::packet;
}

// Whether a routing header, behind whatever stands in front of it, has the host among the segments
// that it names.
bool leads_to_host(const Bytes& bytes, const Addresses& also) {
    uint8_t next = bytes[ethernet_size + 6];
    for (size_t at = ethernet_size + 40; at + 8 <= bytes.size();) {
        size_t size = next == IPPROTO_FRAGMENT ? 8 : static_cast<size_t>(bytes[at + 1] + 1) * 8;
        if (next == IPPROTO_ROUTING && bytes[at + 3] > 0)
            for (size_t segment = at + 8; segment + 16 <= std::min(at + size, bytes.size());
                 segment += 16)
                if (is_host_v6(&bytes[segment], also)) return true;
        if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT &&
            next != IPPROTO_ROUTING)
            return false;
        next = bytes[at];
        at += size;
    }
    return false;
}

Kind classify_v6(const Bytes& bytes, const Addresses& also) {
    if (bytes.size() < ethernet_size + 40) return Kind::packet;
    if (!is_host_v6(&bytes[ethernet_size + 24], also))
        return leads_to_host(bytes, also) ? Kind::packet : Kind::elsewhere;
    uint8_t next = bytes[ethernet_size + 6];
    size_t at = ethernet_size + 40;
    if (next == IPPROTO_HOPOPTS && bytes.size() > at + 8) {  // the router alert in front of MLD
        next = bytes[at];
        at += static_cast<size_t>(bytes[at + 1] + 1) * 8;
    }
    if (next == IPPROTO_ICMPV6 && at < bytes.size()) {
        uint8_t type = bytes[at];
        bool discovery = (type >= 130 && type <= 137) || type == 143;
        return discovery ? Kind::housekeeping : Kind::packet;
    }
    if (next == IPPROTO_TCP &&
        is_bare_segment(bytes, at, ethernet_size + 40 + word(bytes, ethernet_size + 4)))
        return Kind::housekeeping;
    return Kind::packet;
}

Kind classify(const Bytes& bytes, const Addresses& also) {
    if (bytes.size() < ethernet_size) return Kind::packet;
    switch (word(bytes, 12)) {
        case 0x0800: return classify_v4(bytes, also);
        case 0x86dd: return classify_v6(bytes, also);
        case 0x0806: return Kind::housekeeping;
        default: return Kind::packet;
    }
}

std::string describe(const Frame& frame) {
    static constexpr const char* names[] = {"lo", "vh", "hx", "?"};
    char text[INET6_ADDRSTRLEN] = "?", line[128];
    uint16_t type = frame.bytes.size() < ethernet_size ? uint16_t{0} : word(frame.bytes, 12);
    int protocol = -1;
    if (type == 0x0800 && frame.bytes.size() >= ethernet_size + 20) {
        ::inet_ntop(AF_INET, &frame.bytes[ethernet_size + 16], text, sizeof(text));
        protocol = frame.bytes[ethernet_size + 9];
    } else if (type == 0x86dd && frame.bytes.size() >= ethernet_size + 40) {
        ::inet_ntop(AF_INET6, &frame.bytes[ethernet_size + 24], text, sizeof(text));
        protocol = frame.bytes[ethernet_size + 6];
    }
    std::snprintf(line, sizeof(line), "%zu bytes on %s for %s, ethertype %04x, protocol %d",
                  frame.bytes.size(), names[static_cast<int>(frame.by)], text, type, protocol);
    return line;
}

}  // namespace

bool contains(const Bytes& haystack, const Bytes& needle) {
    return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end()) !=
           haystack.end();
}

bool is_error_message(const Frame& frame) {
    const Bytes& bytes = frame.bytes;
    if (bytes.size() <= ethernet_size + 40) return false;
    if (word(bytes, 12) == 0x86dd)
        return bytes[ethernet_size + 6] == IPPROTO_ICMPV6 && bytes[ethernet_size + 40] < 128;
    const size_t header = static_cast<size_t>(bytes[ethernet_size] & 15) * 4;
    return word(bytes, 12) == 0x0800 && bytes[ethernet_size + 9] == IPPROTO_ICMP &&
           bytes[ethernet_size + header] == 3;
}

Verdict check(const std::vector<Frame>& frames, const Bytes& token,
              const std::vector<Bytes>& markers, const Addresses& also, bool shared) {
    Verdict verdict;
    for (const Frame& frame : frames) {
        if (shared && frame.by != Interface::loopback) continue;
        Kind kind = classify(frame.bytes, also);
        if (kind == Kind::elsewhere) continue;
        bool marked = contains(frame.bytes, token) ||
                      std::any_of(markers.begin(), markers.end(), [&](const Bytes& marker) {
                          return contains(frame.bytes, marker);
                      });
        // What ext sends to the host is the container's only if it carries the container's data.
        bool counts = marked || (kind == Kind::packet && frame.by != Interface::ext_link);
        if (marked ? !verdict.payload : counts && verdict.how.empty())
            verdict.how = describe(frame);
        verdict.payload |= marked;
        verdict.packet |= counts;
    }
    return verdict;
}

}  // namespace escape
