// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The options by which the verb runtime has precreate do what engines with hooks do by themselves,
// or tell it in their JSON.
#pragma once

#include "commands/verb.h"

namespace jail_ai {

inline constexpr Option kAddHook = {"--add-hook", "",
                                    "add createRuntime to the hooks of a container that is jailed"};
inline constexpr Option kNoticeFileOption = {"--notice-file", "PATH",
                                             "of a text for the container"};

}  // namespace jail_ai
