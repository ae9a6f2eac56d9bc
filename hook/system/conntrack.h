// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How long the kernel's connection tracking remembers, in the caller's network namespace.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace jail_ai {

// For how many seconds after a UDP peer has last spoken it may be answered: less than conntrack
// remembers (net.netfilter.nf_conntrack_udp_timeout,
// Documentation/networking/nf_conntrack-sysctl.rst), and JAIL_ANSWER_SECONDS at most. 0 if
// conntrack forgets within 2 s.
Result<std::uint32_t> udp_answer_seconds();

}  // namespace jail_ai
