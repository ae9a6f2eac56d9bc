// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Does this kernel take the programs from this caller?
#pragma once

#include "base/result.h"

namespace jail_ai {

// Loads the programs of a jail and lets go of them; attaches nothing. Errors as Jail::load().
Status try_to_load();

}  // namespace jail_ai
