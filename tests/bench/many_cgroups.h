// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Cgroups by the thousand below a container's, as its own processes make them, and what root may
// say to it then.
#pragma once

#include <cstddef>
#include <string>

#include "test_cgroup.h"

namespace jail_ai::bench {

class ManyCgroups {
public:
    ManyCgroups(const test::TestCgroup& parent, std::size_t count);
    ~ManyCgroups();
    ManyCgroups(const ManyCgroups&) = delete;
    ManyCgroups& operator=(const ManyCgroups&) = delete;

private:
    static std::string name(std::size_t number);

    const test::TestCgroup& parent_;
    std::size_t count_;
};

// For attach: the laboratory's container is root's.
inline constexpr const char* kAcceptRoot =
    "--accept=cap_net_admin,cap_bpf,cap_sys_admin,cap_dac_read_search,cap_sys_module,host-cgroups,"
    "host-pid,engine-socket,cap_net_raw,vsock,ia32,abstract-unix";

}  // namespace jail_ai::bench
