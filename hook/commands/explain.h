// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb by which people ask what a policy would do, and why: nothing is attached and nothing changed.
#pragma once

#include <string>

#include "base/result.h"
#include "commands/explain_arguments.h"

namespace jail_ai {

// The answer, as text or JSON. A container that is named is seen as it is now, and asked for by its own annotations, which those of the question
// override; else it is one with a network of its own. Where nobody says whether to block, it is blocked. Errors: as those of createRuntime;
// for a container that is named also EX_NOINPUT and EX_USAGE, and it takes root.
Result<std::string> explain(const Question& question);

}  // namespace jail_ai
