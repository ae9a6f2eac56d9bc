// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Waiting for links of the thread's network namespace, by the kernel's own notices (rtnetlink(7)).
// Everything throws, also if it takes too long.
#pragma once

#include <string>

namespace jail_ai::test {

// Until it carries packets, which is some time after both of its ends were set up.
void wait_until_running(const std::string& interface);

// Until somebody else has made it: whether that was before the process of the pidfd has ended.
bool wait_until_there(const std::string& interface, int maker);

// Until the kernel has given it an address of fe80::/10, which is some time after that.
void wait_until_link_local(const std::string& interface);

}  // namespace jail_ai::test
