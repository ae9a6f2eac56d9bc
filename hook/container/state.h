// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The container state that a runtime writes to a hook's standard input (OCI runtime-spec,
// runtime.md#state).
#pragma once

#include <rapidjson/document.h>
#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace jail_ai {

inline constexpr std::size_t kMaxStateBytes =
    4u << 20;                                      // podman passes annotations of 120 kB and more
inline constexpr pid_t kMaxPid = 4 * 1024 * 1024;  // PID_MAX_LIMIT of a 64-bit kernel, proc(5)

using Annotations = std::map<std::string, std::string, std::less<>>;

// Reads them from a state or a config.json, which have them in the same way; empty if there are
// none, or null for them: crun and runc leave an empty list out. Errors: EX_DATAERR, naming the
// key.
Result<Annotations> read_annotations(const rapidjson::Value& object);

struct ContainerState {
    std::string id;           // not empty
    pid_t pid;                // 1 to kMaxPid
    std::string bundle;       // an absolute path
    Annotations annotations;  // all of them, also those that are none of ours
};

// Reads the state out of JSON. The keys id, pid and bundle are required, annotations are not, and
// all are of their type; unknown keys and any status word are taken, since runtimes differ in them.
// Errors: EX_DATAERR, naming the key.
Result<ContainerState> parse_state(std::string_view json);
Result<ContainerState> parse_state(const rapidjson::Value& object);

}  // namespace jail_ai
