// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/conntrack.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/quote.h"
#include "bpf/abi.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr const char* kUdpTimeout = "/proc/sys/net/netfilter/nf_conntrack_udp_timeout";
constexpr std::uint32_t kMargin =
    2;  // conntrack counts from a packet's way through the host, and by a coarser clock

}  // namespace

Result<std::uint32_t> udp_answer_seconds() {
    const auto fd = TRY(open_if_there(AT_FDCWD, kUdpTimeout, O_RDONLY));
    if (!fd)
        return std::uint32_t{
            JAIL_ANSWER_SECONDS};  // no conntrack yet; loaded later it starts with 30 s
    auto text = TRY(read_all(fd->get(), 64).context(kUdpTimeout));
    std::uint32_t seconds = 0;
    // Up to the end of the line: "3" may be the begin of "30".
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || std::string_view(end, text.data() + text.size()) != "\n")
        return Error{EX_OSERR,
                     fmt::format("{}: not a number of seconds: {}", kUdpTimeout, quote(text))};
    return std::min<std::uint32_t>(seconds - std::min(seconds, kMargin), JAIL_ANSWER_SECONDS);
}

}  // namespace jail_ai
