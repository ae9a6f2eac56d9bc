// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Seccomp profiles for the tests of their tightening.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "container/json.h"
#include "seccomp/socket_families.h"
#include "seccomp/tighten_profile.h"
#include "seccomp_filter.h"

namespace jail_ai::test {

// A profile of its own, kept with its text.
struct Profile {
    std::string text;
    rapidjson::Document document;

    JsonPart part() const { return JsonPart(document, text); }
};

inline Profile parsed(std::string text) {
    auto document = parse_json_object(text);
    REQUIRE_MESSAGE(document, document.error().message << ": " << text);
    return {std::move(text), std::move(*document)};
}

inline Profile tight(const Profile& profile, bool accepts_ia32 = false) {
    auto outcome = tighten_profile(profile.part(), accepts_ia32);
    REQUIRE_MESSAGE(outcome, outcome.error().message << ": " << profile.text);
    return parsed(outcome->profile);
}

inline std::string on_socket(const SeccompFilter& filter, std::uint64_t family,
                             std::uint64_t type = SOCK_STREAM, std::uint64_t protocol = 0,
                             const char* syscall = "socket") {
    return to_string(filter.answer(syscall, {family, type, protocol, 0, 0, 0}));
}

inline bool is_permitted(std::uint64_t family, std::string_view syscall = "socket") {
    if (syscall == "socketpair") return family == AF_UNIX;
    return std::ranges::find(kPermittedFamilies, family) != kPermittedFamilies.end();
}

inline const std::string kX86 =
    R"("architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],)";

}  // namespace jail_ai::test
