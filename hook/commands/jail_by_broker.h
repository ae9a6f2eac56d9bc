// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the hook of a rootless engine does instead of attaching: checks what only it can see, and
// has the broker do the rest.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "commands/arguments.h"
#include "commands/outcome.h"
#include "container/request.h"
#include "container/state.h"

namespace jail_ai {

// Where the broker listens, if it isn't where its unit says.
inline constexpr std::string_view kBrokerOption = "--broker";

struct BrokerOutcome {
    Result<LogLines> lines;
    bool is_final;  // the administrator of the machine lets no container start unprotected
};

// `state_text` is the state as it came. The engine's mount namespace must be the caller's. Errors:
// what ask_broker() says, and the broker's own, with its exit code.
BrokerOutcome jail_by_broker(const ContainerState& state, std::string state_text,
                             const Request& request, const Arguments& arguments);

}  // namespace jail_ai
