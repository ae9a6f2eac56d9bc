// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is expected of every route: routes.table, which is compiled in, as data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace escape {

enum class Closer {
    connect,  // EPERM from connect(2) or what ends there
    sendmsg,  // EPERM from a send call that names a destination
    egress,   // the packet is dropped on its way out
    guard,    // BPF LSM, where the kernel has it; open elsewhere
    refused,  // a container that holds the means (a capability, or a socket from outside) does not
              // start
    open,     // known to get through
};

struct Expectation {
    Closer closer;
    std::string means;  // of `refused`: net_admin or another capability as in needs, or `socket`
    std::string why;
};

using Table = std::map<std::string, Expectation>;

const char* closer_name(Closer closer);
// Of routes.table, or of another file like it. Gives up on a line that it does not understand.
Table read_table(const std::string& path = "");

struct Route {
    std::string name;
    std::vector<std::string> needs;

    bool needs_word(const std::string& word) const;
    // A bit mask of the capabilities among the needs.
    uint64_t capabilities() const;
};

// What `adversary --list` prints.
std::vector<Route> list_routes(const std::string& adversary);

}  // namespace escape
