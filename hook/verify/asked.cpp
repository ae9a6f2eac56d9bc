// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container asks for, by its config.json (facts.h).
#include "container/json.h"
#include "container/request.h"
#include "engines/annotation_authors.h"
#include "verify/facts.h"

namespace jail_ai {

Result<Asks> asked_in(std::string_view config) {
    auto json = TRY(parse_json_object(config));
    auto annotations = TRY(read_annotations(json));
    if (!asks_something(annotations)) return Asks::nothing;
    const auto settings = parse_annotations(annotations);
    if (!settings || !settings->mode) return Asks::unclear;
    switch (*settings->mode) {
        case Mode::off: return Asks::off;
        case Mode::audit: return Asks::audit;
        case Mode::enforce: break;
    }
    return Asks::enforce;
}

}  // namespace jail_ai
