// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// By which interfaces the host takes packets for 127.0.0.0/8 (route_localnet of
// Documentation/networking/ip-sysctl.rst): who isn't jailed and sends such a packet by a device
// reaches what listens on the host's loopback alone.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace jail_ai {

// Names of interfaces of the caller's network namespace, "all" among them. Error: EX_OSERR.
Result<std::vector<std::string>> route_localnet_interfaces();

}  // namespace jail_ai
