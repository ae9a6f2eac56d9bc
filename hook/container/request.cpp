// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See request.h.
#include "container/request.h"

#include <fmt/format.h>

#include <optional>

#include "base/quoted.h"

namespace jail_ai {

Result<Request> parse_request(const Annotations& annotations) {
    std::optional<Mode> mode;
    for (auto it = annotations.lower_bound(kAnnotationPrefix); it != annotations.end() && it->first.starts_with(kAnnotationPrefix); ++it) {
        const auto& [key, value] = *it;
        if (key != kBlockHost) return Error{EX_DATAERR, fmt::format("unknown annotation {}; known is {}", quoted(key), kBlockHost)};
        if (value == "true")
            mode = Mode::enforce;
        else if (value == "false")
            mode = Mode::off;
        else
            return Error{EX_DATAERR, fmt::format("annotation {}: {} is neither 'true' nor 'false'", kBlockHost, quoted(value))};
    }
    if (!mode) return Error{EX_DATAERR, fmt::format("no annotation {}: say 'true' to block the host or 'false' not to", kBlockHost)};
    return Request{*mode};
}

}  // namespace jail_ai
