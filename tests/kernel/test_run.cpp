// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "test_run.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>

#include <array>

#include "jail/skeleton.h"
#include "must.h"
#include "policy/reason.h"

namespace jail_ai::test {
namespace {

Bytes address_of(const IpPrefix& address, std::size_t size) {
    const auto& bytes = address.key().addr;
    return {bytes + (16 - size), bytes + 16};
}

}  // namespace

void Programs::Deleter::operator()(jail_bpf* skeleton) const {
    jail_bpf::destroy(skeleton);
}

Programs::Programs(bool shares_network) : skeleton_(jail_bpf::open()) {
    must(skeleton_ != nullptr ? 0 : -1, "open the programs");
    skeleton_->rodata->shares_network = shares_network ? 1 : 0;
    must(jail_bpf::load(skeleton_.get()), "load the programs");
}

void Programs::fill(const Rules& rules) {
    const int map = ::bpf_map__fd(skeleton_->maps.jail_rules);
    jail_key key;
    while (::bpf_map_get_next_key(map, nullptr, &key) == 0)
        must(::bpf_map_delete_elem(map, &key), "empty jail_rules");
    for (const auto& [prefix, rule] : rules)
        must(::bpf_map_update_elem(map, &prefix.key(), &rule.value, BPF_ANY), "fill jail_rules");
}

bool Programs::passes(const Bytes& packet, std::uint16_t ether_type) {
    Bytes frame(ETH_HLEN);
    frame[12] = static_cast<std::uint8_t>(ether_type >> 8);
    frame[13] = static_cast<std::uint8_t>(ether_type & 0xff);
    append(frame, packet);
    struct bpf_test_run_opts options {};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.repeat = 1;
    must(::bpf_prog_test_run_opts(::bpf_program__fd(skeleton_->progs.jail_egress), &options),
         "run jail_egress");
    return options.retval == 1;
}

std::string Programs::evaluate(const Bytes& packet, std::uint16_t ether_type) {
    const auto before = counts();
    const bool passed = passes(packet, ether_type);
    const auto after = counts();
    std::string reasons;
    for (std::size_t reason = 0; reason < after.size(); ++reason)
        if (after[reason] != before[reason])
            reasons += reason_name(static_cast<jail_reason>(reason));
    if (passed) return reasons.empty() ? "pass" : "passed and counted " + reasons;
    return reasons.empty() ? "denied and not counted" : reasons;
}

std::vector<std::uint64_t> Programs::counts() {
    std::vector<std::uint64_t> all(JAIL_REASON_COUNT);
    for (std::uint32_t reason = 0; reason < JAIL_REASON_COUNT; ++reason)
        must(::bpf_map_lookup_elem(::bpf_map__fd(skeleton_->maps.jail_denials), &reason,
                                   &all[reason]),
             "read the denials");
    return all;
}

void append(Bytes& to, const Bytes& more) {
    to.insert(to.end(), more.begin(), more.end());
}

Bytes v4(const IpPrefix& to, std::uint8_t protocol, const Bytes& payload, const Bytes& options,
         std::uint16_t fragment, const char* from) {
    Bytes packet = {static_cast<std::uint8_t>(0x45 + options.size() / 4),
                    0,
                    0,
                    0,
                    0,
                    0,
                    static_cast<std::uint8_t>(fragment >> 8),
                    static_cast<std::uint8_t>(fragment & 0xff),
                    64,
                    protocol,
                    0,
                    0};
    append(packet, address_of(*IpPrefix::parse(from), 4));
    append(packet, address_of(to, 4));
    append(packet, options);
    append(packet, payload);
    return packet;
}

Bytes v6(const IpPrefix& to, std::uint8_t next, const Bytes& payload, const char* from) {
    Bytes packet = {0x60, 0, 0, 0, 0, 0, next, 64};
    append(packet, address_of(*IpPrefix::parse(from), 16));
    append(packet, address_of(to, 16));
    append(packet, payload);
    return packet;
}

Bytes udp(std::uint16_t port) {
    return {0x30,
            0x39,
            static_cast<std::uint8_t>(port >> 8),
            static_cast<std::uint8_t>(port & 0xff),
            0,
            8,
            0,
            0};
}

Bytes tcp(std::uint16_t port, std::uint8_t flags) {
    Bytes header = {0x30, 0x39, static_cast<std::uint8_t>(port >> 8),
                    static_cast<std::uint8_t>(port & 0xff)};
    header.resize(20);
    header[12] = 0x50;
    header[13] = flags;
    return header;
}

}  // namespace jail_ai::test
