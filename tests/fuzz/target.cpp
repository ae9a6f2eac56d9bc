// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A libFuzzer target: FUZZ_TARGET says which function it calls.
#include "input.h"

namespace jail_ai::test {
void FUZZ_TARGET(std::string_view text);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    jail_ai::test::FUZZ_TARGET(text);
    jail_ai::test::must(jail_ai::quote(text).size() >= 2);
    return 0;
}
