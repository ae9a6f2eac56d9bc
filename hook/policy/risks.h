// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container holds that would let it go round every program on its cgroup. Checked from the
// facts (policy/facts.h).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "container/bundle.h"
#include "container/request.h"
#include "policy/facts.h"

namespace jail_ai {

struct FoundRisk {
    Risk risk;
    std::string what;    // "CAP_NET_ADMIN in process.capabilities"
    std::string remedy;  // "drop it: --cap-drop=NET_ADMIN"
    bool is_fatal;       // without being accepted; else it is only reported
};

// Every risk, in the order of enum Risk; several of the same kind where several things carry it.
std::vector<FoundRisk> find_risks(const Bundle& bundle, const ContainerFacts& facts);

inline constexpr std::array<std::string_view, 4> kEngineSocketNames = {
    "podman.sock", "docker.sock", "crio.sock", "containerd.sock"};

// The name of a socket file by which a container engine takes orders: "podman.sock", "docker.sock",
// "crio.sock", "containerd.sock".
bool is_engine_socket(std::string_view path);

}  // namespace jail_ai
