// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/denial_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/ip_prefix.h"
#include "base/quote.h"
#include "policy/reason.h"

namespace jail_ai {
namespace {

std::optional<IpPrefix> address_of(const jail_denial& what) {
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), what.addr, bytes.size());
    return IpPrefix::from_bytes(bytes, 128);
}

// What was denied in place of an address; empty if there is one.
std::string_view other_than_address(const jail_denial& what) {
    const ReasonRow* row = find_row(kReasons, what.reason);
    return row == nullptr ? "" : row->denied;
}

std::string_view file_text(std::uint16_t kind) {
    switch (kind) {
        case JAIL_FILE_DEVICE: return "a network device";
        case JAIL_FILE_CGROUP: return "a cgroup file";
        case JAIL_FILE_RING: return "an io_uring";
        case JAIL_FILE_PATH: return "a directory or path of another mount namespace";
        case JAIL_FILE_PROCESS: return "a process descriptor";
        default: return "a file";
    }
}

}  // namespace

std::string protocol_text(std::uint8_t protocol) {
    switch (protocol) {
        case IPPROTO_TCP: return "tcp";
        case IPPROTO_UDP: return "udp";
        case IPPROTO_UDPLITE: return "udplite";
        case IPPROTO_ICMP: return "icmp";
        case IPPROTO_ICMPV6: return "icmpv6";
        case IPPROTO_SCTP: return "sctp";
        default: return fmt::format("protocol {}", protocol);
    }
}

std::string comm_of(std::span<const std::uint8_t, JAIL_COMM_SIZE> comm) {
    const auto* text = reinterpret_cast<const char*>(comm.data());
    return {text, ::strnlen(text, comm.size())};
}

void put_denial(JsonWriter& writer, const jail_denial& what, std::uint32_t pid,
                std::span<const std::uint8_t, JAIL_COMM_SIZE> comm) {
    put(writer, "what", denial_text(what));
    put(writer, "reason", reason_name(what.reason));
    if (pid == 0) return;
    put(writer, "pid", std::uint64_t{pid});
    put(writer, "comm", printable(comm_of(comm)));
}

std::string time_text(std::uint64_t real, bool milliseconds) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    const auto seconds = fmt::gmtime(static_cast<std::time_t>(real / kSecond));
    if (!milliseconds) return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", seconds);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", seconds, real % kSecond / 1'000'000);
}

std::string times_text(std::uint64_t count) {
    return fmt::format("{} time{}", count, count == 1 ? "" : "s");
}

std::string destination_of(const jail_denial& what) {
    const auto address = other_than_address(what).empty() ? address_of(what) : std::nullopt;
    return address ? address->to_string() : "";
}

std::string denial_text(const jail_denial& what) {
    if (const auto denied = other_than_address(what); !denied.empty())
        return fmt::format(fmt::runtime(denied), fmt::arg("port", what.port),
                           fmt::arg("protocol", what.protocol),
                           fmt::arg("file", file_text(what.port)));
    const auto address = address_of(what);
    const std::string text = address ? address->to_string() : "?";
    if (what.port == 0) return fmt::format("{} {}", text, protocol_text(what.protocol));
    return fmt::format("{}:{}/{}", address && address->is_v4() ? text : fmt::format("[{}]", text),
                       what.port, protocol_text(what.protocol));
}

}  // namespace jail_ai
