// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The administrator's settings for every container of the machine (container/settings_file.h).
#pragma once

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

// Reads /etc/jail-ai-hook.conf; without that file there are none. Errors, after which no container
// may start: EX_CONFIG for a file that another user than root can write, that is not a regular one,
// or that parse_settings_file() rejects; EX_OSERR.
Result<Defaults> read_machine_settings();

}  // namespace jail_ai
