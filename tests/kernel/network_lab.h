// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The network that the tests talk over: a host with two links, a container on the one and the
// internet behind the other, each a network namespace of its own. What a container could mistake
// for its host (the metadata service, an engine's alias, IPv4 in IPv6 clothes) has a home on the
// internet's side, so that without the programs every destination in the tables answers.
//
//     container  10.77.0.2 fd77::2 ──ctr0 host0── 10.77.0.1 fd77::1 host 10.78.0.1 fd78::1 ──host1
//                ext0── 10.78.0.2 fd78::2 internet
#pragma once

#include <string>

#include "netns.h"
#include "witness.h"

namespace jail_ai::test {

struct NetworkLab {
    NetworkLab();

    NetworkNamespace host;
    NetworkNamespace container;
    NetworkNamespace internet;
    Witness witness;
    unsigned container_interface;  // ctr0 in the container's namespace, the scope of its link-local
                                   // destinations
};

// A link of a container's own to the host, by which it gets to the internet: prefix4 + "2" is the
// container's, prefix4 + "1" the host's.
void link_to_host(const NetworkLab& lab, const NetworkNamespace& network, const char* name,
                  const std::string& prefix4, const std::string& prefix6);

}  // namespace jail_ai::test
