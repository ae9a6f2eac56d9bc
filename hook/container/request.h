// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container asks of the hook, told by its annotations.
#pragma once

#include <string_view>

#include "base/result.h"
#include "container/state.h"

namespace jail_ai {

inline constexpr std::string_view kAnnotationPrefix = "jail-ai.";
inline constexpr std::string_view kBlockHost = "jail-ai.block-host";

enum class Mode { off, enforce };

struct Request {
    Mode mode;
};

// Reads every annotation that starts with "jail-ai.". Errors (EX_DATAERR): an unknown key, a value that the key doesn't take, or no
// jail-ai.block-host at all: whoever called the hook wanted something, and guessing that it was nothing would leave the host open.
Result<Request> parse_request(const Annotations& annotations);

}  // namespace jail_ai
