// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See stalled_cases.cpp.
#pragma once

#include "container.h"

namespace jail_ai::test {

struct StalledHooks {
    explicit StalledHooks(HookBinary& hook);

    Container endless_input;
    Container half_attached;
    HookRun endless;
    HookRun half_way;
};

}  // namespace jail_ai::test
