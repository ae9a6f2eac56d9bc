// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Takes from a proposed config.json what would let the container open sockets that no program on
// its cgroup checks: CAP_NET_RAW, and socket families other than those in socket_families.h. For
// engines that ask before they start the runtime (podman's stage precreate).
#pragma once

#include <rapidjson/document.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

struct Tightened {
    std::string config;
    std::vector<std::string> taken;      // what was dropped, for the log
    std::vector<std::string> left_open;  // what could not be, or is accepted, and is a way out
};

// `text` is what parse_json_object() made `config` of. What the container accepts (cap_net_raw,
// vsock, ia32) stays. Apart from the five sets of process.capabilities, linux.seccomp, and linux
// itself where there was none, the result is the same, byte for byte. To tighten again changes
// nothing. Errors: EX_DATAERR for what has not its type, EX_CONFIG for a profile that can't be
// tightened.
Result<Tightened> tighten(const rapidjson::Document& config, std::string_view text,
                          const std::set<Risk>& accepted);

}  // namespace jail_ai
