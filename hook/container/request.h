// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container asks of the hook, told by its annotations.
#pragma once

#include <set>
#include <string_view>

#include "base/result.h"
#include "container/state.h"

namespace jail_ai {

inline constexpr std::string_view kAnnotationPrefix = "jail-ai.";
inline constexpr std::string_view kBlockHost = "jail-ai.block-host";

inline constexpr std::string_view kAccept = "jail-ai.block-host.accept";

enum class Mode { off, enforce };

// What a container may hold that lets it go round the block. Without being accepted by name it is refused.
enum class Risk { cap_net_admin, cap_bpf, cap_sys_admin, host_cgroups, host_pid, engine_socket, inherited_sockets };

// The name that an annotation accepts the risk by: "cap_net_admin", "host-cgroups" …
std::string_view risk_name(Risk risk);

struct Request {
    Mode mode;
    std::set<Risk> accepted;
};

// Reads every annotation that starts with "jail-ai.". Errors (EX_DATAERR): an unknown key, a value that the key doesn't take, or no
// jail-ai.block-host at all: whoever called the hook wanted something, and guessing that it was nothing would leave the host open.
Result<Request> parse_request(const Annotations& annotations);

}  // namespace jail_ai
