// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the hook needs of a bundle's config.json (OCI runtime-spec, config.md).
#pragma once

#include <rapidjson/document.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

struct Mount {
    std::string destination;  // in the container
    std::string source;       // on the host, relative to the bundle unless absolute; empty if none
    std::string type;         // "bind", "proc" …; empty if none
    std::vector<std::string> options;

    bool has_option(std::string_view option) const;
    // If both "ro" and "rw" are given, crun obeys the first, runc the last.
    bool is_read_only() const { return has_option("ro") && !has_option("rw"); }
    bool is_bind() const { return type == "bind" || has_option("bind") || has_option("rbind"); }
};

struct Bundle {
    std::vector<Mount> mounts;
    // In any of the process's five sets, as in container/capability_names.h.
    std::set<std::string> capabilities;
    std::set<std::string> namespaces;  // types of linux.namespaces: "pid", "network" …; empty if
                                       // it has none of its own
    std::set<std::string> joined;      // those of them that were there before, by path
    std::string network_path;  // of the network namespace among those; empty if it has a new one
    bool of_pod = false;       // Kubernetes runs it, by its annotations
    bool of_process = false;   // there is no config.json: this is what a process that runs says
    std::string root;  // directory of the container's root, relative to the bundle unless absolute;
                       // empty if there is none

    // Source of the last mount on the destination (later mounts cover earlier ones), or nullptr.
    const std::string* mounted_at(std::string_view destination) const;
};

// Reads config.json. Takes unknown keys, and null for a missing value. Errors (EX_DATAERR): a value
// of another type, an unknown capability, and what runtimes read in several ways
// (check_unambiguous(), find_member()).
Result<Bundle> parse_bundle(const rapidjson::Value& config);

}  // namespace jail_ai
