// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The value of jail_about (bpf/abi.h), read.
#pragma once

#include <optional>
#include <span>

#include "jail/snapshot.h"

namespace jail_ai {

// Nothing for that of another version, or one that is not filled yet.
std::optional<JailMetadata> parse_metadata(std::span<const char> value);

}  // namespace jail_ai
