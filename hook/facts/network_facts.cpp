// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "facts/network_facts.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/absence.h"
#include "engines/containers_conf_files.h"
#include "engines/deferred_network.h"
#include "engines/user_network_processes.h"
#include "system/container_addresses.h"
#include "system/file.h"
#include "system/gateways.h"
#include "system/name_files.h"
#include "system/routes.h"

namespace jail_ai {
namespace {

// Empty where the kernel is without IPv6 and has no such file.
Result<std::string> read_v6_table(int proc_fd, const char* path) {
    auto table = read_kernel_file(proc_fd, path);
    return is_absent(table) ? std::string() : std::move(table);
}

Result<std::vector<IpPrefix>> read_gateways(int proc_fd) {
    auto v4 = TRY(read_kernel_file(proc_fd, "net/route").context("default routes"));
    std::vector<IpPrefix> gateways = default_gateways_v4(v4);
    const auto v6 = TRY(read_v6_table(proc_fd, "net/ipv6_route").context("default routes"));
    for (const IpPrefix& gateway : default_gateways_v6(v6)) gateways.push_back(gateway);
    return gateways;
}

Result<std::vector<IpPrefix>> read_container_addresses(const Process& process) {
    auto v4 = TRY(
        read_kernel_file(process.proc_fd(), "net/fib_trie").context("the container's addresses"));
    std::vector<IpPrefix> addresses = container_addresses_v4(v4);
    const auto v6 =
        TRY(read_v6_table(process.proc_fd(), "net/if_inet6").context("the container's addresses"));
    for (const IpPrefix& address : container_addresses_v6(v6)) addresses.push_back(address);
    return addresses;
}

// podman makes the network of a container with a user namespace of its own once the runtime has
// made that; others (buildah, nerdctl) make every one so late. A network namespace without an
// address is one that may get some.
Status look_ahead(NetworkFacts& view) {
    view.network_is_deferred = view.container_addresses.empty();
    if (!view.network_is_deferred) return ok();
    return predict_gateways(view);
}

// slirp4netns as podman calls it, and whatever else calls its tun device so.
bool is_tunnel(std::string_view device) {
    return device.starts_with("tap") || device.starts_with("tun");
}

void add_user_network(const UserNetwork& network, NetworkFacts& view) {
    view.mapped.insert(view.mapped.end(), network.mapped.begin(), network.mapped.end());
    view.forwards.insert(view.forwards.end(), network.forwards.begin(), network.forwards.end());
}

// A user has no other networks than those that a process of theirs relays: root's are known by
// their device. The gateway is the relay itself, or is taken for the host by an option; in a
// network that isn't there yet the host's own gateway may be.
Status collect_user_network(const Process& process, const std::string& network_path,
                            NetworkFacts& view) {
    auto user_namespace = TRY(process.user_namespace());
    const bool is_users = user_namespace.owner != 0;
    view.may_copy_host =
        view.network_is_deferred && is_users;  // podman gives pasta to other users than root only
    auto devices =
        TRY(read_kernel_file(process.proc_fd(), "net/route").context("the container's routes"));
    const bool is_relayed = is_users || std::ranges::any_of(default_devices_v4(devices), is_tunnel);
    if (!is_relayed && !view.network_is_deferred) return ok();
    auto relayed =
        TRY(find_user_network({user_namespace.owner, network_path, view.network_is_deferred}));
    add_user_network(relayed, view);
    if (is_relayed)
        view.mapped.insert(view.mapped.end(), view.gateways.begin(), view.gateways.end());
    if (is_users) {
        auto self = TRY(open_proc_self());
        auto gateways = TRY(read_gateways(self.get()));
        view.mapped.insert(view.mapped.end(), gateways.begin(), gateways.end());
        if (view.network_is_deferred) view.gateways = std::move(gateways);  // pasta copies them
    }
    if (!view.network_is_deferred) return ok();
    auto configured = TRY(configured_user_network(::getppid()));
    add_user_network(configured, view);
    return ok();
}

}  // namespace

Result<NetworkFacts> read_network_facts(const Process& process, const NameFiles& names,
                                        const std::string& network_path, bool shares_network) {
    NetworkFacts view;
    view.routes = TRY(read_local_routes());
    view.shares_network = shares_network;
    view.named = host_addresses(names.hosts);
    view.name_servers = name_servers(names.resolv_conf);
    view.gateways = TRY(read_gateways(process.proc_fd()));
    if (!view.shares_network) {
        view.container_addresses = TRY(read_container_addresses(process));
        TRY(look_ahead(view));
        TRY(collect_user_network(process, network_path, view));
    }
    if (!view.network_is_deferred && !names.resolv_conf_is_deferred) return view;
    TRY(predict_name_servers(view));
    return view;
}

Result<std::vector<IpPrefix>> predict_resolvers(const Process& process,
                                                const std::string& networks) {
    NetworkFacts view;
    auto shares_network = TRY(process.shares_namespace("net"));
    view.shares_network = shares_network;
    if (!view.shares_network) {
        auto addresses = TRY(read_container_addresses(process));
        view.container_addresses = std::move(addresses);
        view.network_is_deferred = view.container_addresses.empty();
    }
    TRY(predict_name_servers(view, networks));
    return std::move(view.name_servers);
}

Result<UserNetwork> predict_user_network(const Process& process) {
    auto shares_network = TRY(process.shares_namespace("net"));
    if (shares_network) return UserNetwork{};
    auto addresses = read_container_addresses(process);
    if (!addresses) return std::move(addresses).error();
    if (!addresses->empty()) return UserNetwork{};
    return configured_user_network(::getppid());
}

}  // namespace jail_ai
