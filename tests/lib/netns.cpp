// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "netns.h"

#include <fcntl.h>
#include <sched.h>

#include <cstdlib>

#include "files.h"
#include "must.h"
#include "netlink.h"

namespace jail_ai::test {
namespace {

UniqueFd current_netns() {
    return UniqueFd(
        must(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "open /proc/self/ns/net"));
}

}  // namespace

NetworkNamespace::NetworkNamespace() {
    const UniqueFd home = current_netns();
    must(::unshare(CLONE_NEWNET), "make a network namespace");
    fd_ = current_netns();
    // Addresses that are still tentative can't be sent from, and a link's own fe80:: address can't
    // be given NODAD.
    for (const char* which : {"all", "default"})
        write_file(std::string("/proc/sys/net/ipv6/conf/") + which + "/accept_dad", "0");
    Netlink().set_up("lo");
    must(::setns(home.get(), CLONE_NEWNET), "return to the suite's network namespace");
}

Visit::Visit(int netns_fd) : home_(current_netns()) {
    must(::setns(netns_fd, CLONE_NEWNET), "enter a network namespace");
}

Visit::~Visit() {
    // Going on in the wrong namespace would make every later test lie.
    if (::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

}  // namespace jail_ai::test
