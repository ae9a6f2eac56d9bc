// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The end of who asks the broker: a rootless engine's hook, or a user who looks at their jails.
#pragma once

#include <string>

#include "base/result.h"
#include "broker/protocol.h"
#include "system/process.h"

namespace jail_ai {

// Where jail-ai-hook.socket listens. Never taken from the environment, which belongs to the caller
// the engine.
inline constexpr const char* kBrokerSocket = "/run/jail-ai-hook.sock";

// Sends the message, with the pidfd of the container's process, to the broker that listens at
// `path`, and waits for its answer until the deadline; if the broker has no time for this user
// just now, asks again until then. Errors: EX_UNAVAILABLE if no broker listens, with what to
// enable; EX_DATAERR for a message that is too long; EX_TEMPFAIL, EX_PROTOCOL, EX_IOERR.
Result<Reply> ask_broker(const std::string& path, const Process& process, const Message& message);

// What the broker shows the user of their own jails. Errors: those, and what the broker says.
Result<std::string> ask_to_show(const std::string& path, const ShowRequest& request);

}  // namespace jail_ai
