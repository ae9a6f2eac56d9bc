// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// bpf/packet.h over bytes of our own, for the tests of the parser and for its fuzzer.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "base/ip_prefix.h"
#include "bpf/packet.h"

namespace jail_ai::test {

using Bytes = std::vector<std::uint8_t>;

// What the parser is given for a packet of the kernel's.
struct PacketBytes {
    __sk_buff skb;
    const Bytes* bytes;
};

}  // namespace jail_ai::test

JAIL_INLINE int jail_load(const struct __sk_buff* skb, __u32 offset, void* to, __u32 size) {
    const jail_ai::test::Bytes& bytes =
        *reinterpret_cast<const jail_ai::test::PacketBytes*>(skb)->bytes;
    if (offset > bytes.size() || size > bytes.size() - offset) return 1;
    std::memcpy(to, bytes.data() + offset, size);
    return 0;
}

namespace jail_ai::test {

// `ether_type` as in <linux/if_ether.h>.
inline jail_packet parse(const Bytes& bytes, std::uint16_t ether_type) {
    PacketBytes from{{}, &bytes};
    from.skb.protocol = bpf_htons(ether_type);
    jail_packet packet{};
    jail_parse(&from.skb, &packet);
    return packet;
}

inline jail_key key_of(const jail_address& address) {
    const auto low = [](std::uint64_t two) { return static_cast<std::uint32_t>(two); };
    jail_key key{};
    jail_key_v6(&key, std::array{low(address.first), low(address.first >> 32), low(address.second),
                                 low(address.second >> 32)}
                          .data());
    return key;
}

}  // namespace jail_ai::test
