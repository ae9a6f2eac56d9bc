// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What doctor finds of a machine, and verify of its containers and jails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "container/json_writer.h"

namespace jail_ai {

enum class FindingKind {
    // doctor's
    ok,
    warning,  // the block works, and there is something to know
    problem,  // with this the block does not work
    // verify's
    not_jailed,  // it asks for the block and doesn't have it
    other_mode,  // it asks for the block and is watched, or the reverse
    program_missing,
    program_twice,
    maps_not_shared,  // programs of one jail that don't go by the same rules, or count elsewhere
    not_acting,       // something in its cgroup was allowed that must be denied
    attach_flags,     // others may detach it
    overridden,       // a foreign program can override it
    stale,            // its rules are those of a host that has changed
    other_version,    // its rules can't be compared with the host, and refresh leaves it alone
    unreadable,       // unknown
    user_state,       // what a user has among the states of a runtime, and no container is by it
};

std::string_view name_of(FindingKind kind);  // "ok", "not-jailed" …

struct Finding {
    FindingKind kind;
    std::string about;  // of doctor a topic, "kernel", "hooks" …, that may come several times; of
                        // verify a container's ID, empty if it isn't known
    std::string what;
    std::string remedy;  // empty if there is nothing to do
};

using Findings = std::vector<Finding>;

// Has verify failed by it? Users put what they like among their states: that alone is none.
constexpr bool is_failure(const Finding& finding) {
    return finding.kind != FindingKind::user_state;
}

// The member "findings" of an object: of each {KIND_KEY, ABOUT_KEY, "what", "remedy"}.
void put_findings(JsonWriter& writer, const Findings& findings, std::string_view kind_key,
                  std::string_view about_key);

}  // namespace jail_ai
