// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Whether a container asks anything of the hook. Engines call it for every container of a machine;
// one that asks for nothing must start whatever else is in its state or config.json, so that this
// is found out first.
#pragma once

#include <rapidjson/document.h>

#include <string_view>

#include "container/state.h"

namespace jail_ai {

// False if no annotation in the text is meant for the hook: the letters "jail" are nowhere in it,
// in either case, nor an escape that could stand for one of them. It looks at the bytes alone, so
// that the text may be anything.
bool may_ask(std::string_view json);

// True if the container with this state or config.json has an annotation that is_meant_for_hook(),
// as one reader or another takes it: also if the annotations are there twice, or by a name in
// another case.
bool asks_something(const rapidjson::Value& document);
bool asks_something(const Annotations& annotations);

}  // namespace jail_ai
