// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A seccomp profile as the kernel gets it: made into a filter by libseccomp, rule by rule as crun
// and runc do it, and run here. So that tests ask what a profile does, and not what it seems to
// say.
#pragma once

#include <linux/filter.h>
#include <rapidjson/document.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jail_ai::test {

class SeccompFilter {
public:
    // Nothing if libseccomp takes no rules like these together, so that the runtime would not
    // start the container.
    static std::optional<SeccompFilter> load(const rapidjson::Value& profile);

    // What the kernel would make of a call: SECCOMP_RET_*. `architecture` is an AUDIT_ARCH_*.
    std::uint32_t answer(std::uint32_t architecture, int number,
                         const std::array<std::uint64_t, 6>& arguments) const;
    // Of the machine's own architecture, by name.
    std::uint32_t answer(const char* syscall, const std::array<std::uint64_t, 6>& arguments) const;

private:
    std::vector<sock_filter> program_;
};

// "pass", "errno 97", "kill" …
std::string to_string(std::uint32_t answer);

}  // namespace jail_ai::test
