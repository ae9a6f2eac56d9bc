// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What verify knows of the containers and jails of a machine, and in what they differ from what
// they should be. The verdict is pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "container/request.h"
#include "container/state.h"
#include "engines/running_container.h"
#include "jail/snapshot.h"
#include "verify/finding.h"

namespace jail_ai {

// What a container's annotations and the machine's settings ask for.
enum class RequestedMode {
    nothing,
    off,  // block-host=false
    audit,
    enforce,
    unclear,  // something under jail-ai. for which the hook would have rejected it, or that
              // flags of the hook's JSON complete
};

// By its annotations, within the machine's settings.
RequestedMode requested_mode(const Annotations& annotations, const Defaults& defaults);

struct SeenContainer : RunningContainer {
    RequestedMode asks = RequestedMode::nothing;
    std::string unread;                  // why it is unknown what it asks for; else empty
    std::vector<std::uint64_t> cgroups;  // ids of its cgroup and each above it, from the inside out
};

// A jail that was not proved to act (jail/acting.h).
struct FailedProof {
    std::uint64_t cgroup_id;
    bool acts_not;  // else it is unknown
    std::string why;
};

// A process that could be the first one of a user's container, of which no state was read and on
// which no jail acts.
struct UnknownProcess {
    uid_t owner;
    pid_t pid;
};

struct VerifyFacts {
    std::vector<SeenContainer> containers;
    std::vector<JailSnapshot> jails;
    std::vector<UnreadableStateDir> overlooked;
    std::vector<UnknownProcess> unknown_processes;  // of users with something overlooked
    std::vector<FailedProof> failed_proofs;
    std::vector<std::string> route_localnet;  // of system/route_localnet.h
};

// In the order of their kinds.
Findings check_containers(const VerifyFacts& facts);

bool wants_jail(const SeenContainer& container);

// Does a jail act on it, its own or one further up?
bool is_jailed(const SeenContainer& container, std::span<const JailSnapshot> jails);

// Whose jail that is: what it says of itself, or who is in its cgroup; empty if neither says.
std::string container_of(const JailSnapshot& jail, const std::vector<SeenContainer>& containers);

// The end of both: one line a finding, one of interfaces with route_localnet where a container
// isn't jailed, and one with the number of containers that ask and that have it; or an object
// {containers, findings, route_localnet}.
std::string verification_to_people(const VerifyFacts& facts, const Findings& findings);
std::string verification_to_machines(const VerifyFacts& facts, const Findings& findings);

}  // namespace jail_ai
