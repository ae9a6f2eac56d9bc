// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container asks for, by its annotations (facts.h).
#include "container/asking.h"
#include "container/request.h"
#include "verify/facts.h"

namespace jail_ai {

RequestedMode requested_mode(const Annotations& annotations, const Defaults& defaults) {
    if (!asks_something(annotations) && !defaults.settings.mode) return RequestedMode::nothing;
    const auto settings = parse_annotations(annotations);
    if (!settings) return RequestedMode::unclear;
    const auto request = join_settings(defaults, *settings);
    if (!request) return RequestedMode::unclear;
    switch (request->mode) {
        case Mode::off: return RequestedMode::off;
        case Mode::audit: return RequestedMode::audit;
        case Mode::enforce: break;
    }
    return RequestedMode::enforce;
}

}  // namespace jail_ai
