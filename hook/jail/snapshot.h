// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A jail as it was when it was read (jail/reader.h): what the verbs check and print. Only
// types, for code that is pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/abi.h"
#include "policy/policy.h"
#include "policy/risks.h"

namespace jail_ai {

// What a jail says about itself (jail_about), for those who look at it.
struct JailMetadata {
    std::string container;    // the runtime's id. Who asks the broker makes it up
    std::string name;         // as below, when the container was jailed
    std::uint32_t risks = 0;  // bits by enum Risk
    std::string inputs;       // of its policy, as policy/inputs.h reads them
    Mode mode = Mode::enforce;
    Guard guard = Guard::none;
    bool shares_network = false;  // with its engine
    std::uint64_t since = 0;      // ns of CLOCK_REALTIME
    std::uint32_t engine_network =
        0;                     // inode of the network namespace whose addresses are the host's
    std::uint64_t cgroup = 0;  // its id
};

// How often each reason has denied, by enum jail_reason.
using DenialCounts = std::array<std::uint64_t, JAIL_REASON_COUNT>;

// A remembered denial, how often it came and when last.
struct RecentDenial {
    jail_denial what;
    jail_denial_seen seen;
};

// One of a jail's programs.
struct JailProgram {
    std::string name;
    std::uint32_t id;
    std::uint32_t attach_flags;
    std::map<std::string, std::uint32_t> maps;  // ids by name
};

// A program of another owner that runs after one of ours and may override it: of its type,
// a program can set the call's result (bpf_set_retval, Linux 5.18) and, before Linux gives that,
// the address that is connected to. The verdicts of cgroup_skb programs are joined instead, of
// which systemd has some.
struct OverridingProgram {
    std::string name;
    std::uint32_t id;
    std::string after;  // the name of ours
};

// The jail of a cgroup: what of it was asked for.
struct JailSnapshot {
    std::uint64_t cgroup_id = 0;  // of its directory, by which it is distinguished from others
    std::string cgroup;           // below the cgroup2 mount; "/" for the root
    std::string name;  // of its container, as its engine calls it; empty if that isn't known
    // Nothing if the jail is of another version, or what held it is gone.
    std::optional<JailMetadata> metadata;
    std::string inside;  // then the ID of a container in its cgroup; empty if that isn't known
    std::vector<JailProgram> programs;
    std::vector<OverridingProgram> overriders;
    std::optional<Policy>
        policy;  // without sources and unused exceptions, which the kernel doesn't know
    DenialError denial_error = DenialError::eperm;
    std::size_t prefixes = 0;
    DenialCounts denials{};
    std::vector<RecentDenial> recent_denials;  // the newest first, at most JAIL_MAX_RECENT

    std::string_view container_id() const { return metadata ? metadata->container : inside; }
};

}  // namespace jail_ai
