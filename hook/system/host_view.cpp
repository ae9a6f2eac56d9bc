// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See host_view.h.
#include "system/host_view.h"

#include "policy/gateways.h"
#include "policy/name_files.h"
#include "system/file.h"
#include "system/routes.h"

namespace jail_ai {
namespace {

Result<std::vector<IpPrefix>> read_gateways(const Process& process) {
    auto v4 = read_kernel_file(process.proc_fd(), "net/route");
    if (!v4) return std::move(v4).error().context("the container's routes");
    std::vector<IpPrefix> gateways = default_gateways_v4(*v4);
    // A kernel without IPv6 has no such file.
    if (auto v6 = read_kernel_file(process.proc_fd(), "net/ipv6_route"))
        for (const IpPrefix& gateway : default_gateways_v6(*v6)) gateways.push_back(gateway);
    return gateways;
}

}  // namespace

Result<HostView> read_host_view(const Process& process, const BundleFiles& files) {
    HostView view;
    auto routes = read_local_routes();
    if (!routes) return std::move(routes).error();
    view.routes = std::move(*routes);
    auto shares_network = process.shares_namespace("net");
    if (!shares_network) return std::move(shares_network).error();
    view.shares_network = *shares_network;
    auto hosts = files.read_mounted("/etc/hosts");
    if (!hosts) return std::move(hosts).error();
    view.named = host_addresses(*hosts);
    auto resolv_conf = files.read_mounted("/etc/resolv.conf");
    if (!resolv_conf) return std::move(resolv_conf).error();
    view.name_servers = name_servers(*resolv_conf);
    auto gateways = read_gateways(process);
    if (!gateways) return std::move(gateways).error();
    view.gateways = std::move(*gateways);
    return view;
}

}  // namespace jail_ai
