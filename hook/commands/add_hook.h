// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The option by which the verb runtime has precreate do what an engine with hooks does by itself.
#pragma once

#include "commands/verb.h"

namespace jail_ai {

inline constexpr Option kAddHook = {"--add-hook", "",
                                    "add createRuntime to the hooks of a container that is jailed"};

}  // namespace jail_ai
