// SPDX-License-Identifier: Apache-2.0 OR MIT
// The bundle of a process that has none.
#include "engines/bundle_files.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "container/capability_names.h"
#include "system/file.h"

namespace jail_ai {
namespace {

// The number behind "\nFIELD:\t", in that base.
std::optional<std::uint64_t> number_of(std::string_view status, std::string_view field, int base) {
    const std::string start = fmt::format("\n{}:\t", field);
    const std::size_t at = status.find(start);
    if (at == std::string_view::npos) return std::nullopt;
    const char* first = status.data() + at + start.size();
    std::uint64_t number = 0;
    if (std::from_chars(first, status.data() + status.size(), number, base).ec != std::errc())
        return std::nullopt;
    return number;
}

}  // namespace

Result<BundleFiles> BundleFiles::of_process(const Process& process) {
    auto status = read_kernel_file(process.proc_fd(), "status");
    if (!status) return std::move(status).error().context(fmt::format("process {}", process.pid()));
    Bundle bundle;
    bundle.of_process = true;
    const bool may_gain = number_of(*status, "NoNewPrivs", 10).value_or(0) == 0;
    std::uint64_t held = 0;
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"}) {
        const auto bits = number_of(*status, set, 16);
        if (!bits)
            return Error{EX_UNAVAILABLE,
                         fmt::format("/proc/{}/status has no {}", process.pid(), set)};
        if (std::string_view(set) != "CapBnd" || may_gain) held |= *bits;
    }
    for (std::size_t number = 0; number < kCapabilityNames.size(); ++number)
        if ((held >> number & 1) != 0) bundle.capabilities.emplace(kCapabilityNames.at(number));
    auto config = TRY(Config::parse("{}"));
    return BundleFiles{std::move(config), std::move(bundle), {}, {}};
}

}  // namespace jail_ai
