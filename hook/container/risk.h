// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What could let a container bypass the block. A container that has one is rejected unless it
// accepts the risk by name; policy/risks.h finds which ones it has.
#pragma once

#include <array>
#include <string_view>

#include "base/named.h"

namespace jail_ai {

// The numbers are kept with each jail (jail_about.risks): a new one goes to the end.
enum class Risk {
    cap_net_admin,
    cap_bpf,
    cap_sys_admin,
    cap_dac_read_search,
    cap_sys_module,
    host_cgroups,
    host_pid,
    engine_socket,
    inherited_sockets,
    cap_net_raw,
    vsock,
    ia32,
    abstract_unix,
    host_loopback,
    count
};

inline constexpr std::array kRisks = std::to_array<Named<Risk>>({
    {Risk::cap_net_admin, "cap_net_admin"},
    {Risk::cap_bpf, "cap_bpf"},
    {Risk::cap_sys_admin, "cap_sys_admin"},
    {Risk::cap_dac_read_search, "cap_dac_read_search"},
    {Risk::cap_sys_module, "cap_sys_module"},
    {Risk::host_cgroups, "host-cgroups"},
    {Risk::host_pid, "host-pid"},
    {Risk::engine_socket, "engine-socket"},
    {Risk::inherited_sockets, "inherited-sockets"},
    {Risk::cap_net_raw, "cap_net_raw"},
    {Risk::vsock, "vsock"},
    {Risk::ia32, "ia32"},
    {Risk::abstract_unix, "abstract-unix"},
    {Risk::host_loopback, "host-loopback"},
});
static_assert(names_each(kRisks, static_cast<int>(Risk::count) - 1));
static_assert(static_cast<int>(Risk::count) <= 32, "jail_about.risks has a bit for each");

// The name that the risk is accepted by: "cap_net_admin", "host-cgroups" …
constexpr std::string_view risk_name(Risk risk) {
    return name_of(kRisks, risk);
}

}  // namespace jail_ai
