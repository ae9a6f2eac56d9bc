// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/deferred_network.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/absence.h"
#include "base/quote.h"
#include "engines/podman_network.h"
#include "system/file.h"
#include "system/name_files.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxFile = 1U << 20;

// podman's default network exists without a file, unless a user has changed it.
constexpr std::string_view kDefaultNetwork = "podman";
constexpr std::string_view kDefaultGateway = "10.88.0.1";
constexpr std::string_view kDefaultDevice = "podman0";

// The resolvers of slirp4netns and pasta.
constexpr std::array<std::string_view, 2> kForwarders = {"10.0.2.3", "169.254.1.1"};

// A file that isn't one of podman's is passed over with a warning, as podman does: it has no such
// network then. Each address in it is treated as a gateway anyway, for another version of
// podman may read what this doesn't.
Result<std::vector<PodmanNetwork>> read_networks(const std::string& path,
                                                 std::vector<std::string>& warnings) {
    std::vector<PodmanNetwork> networks;
    const auto files = TRY(files_in(path, ".json"));
    const auto pass_over = [&](const std::string& name, const Error& error) {
        warnings.push_back(
            fmt::format("network {} in {}: {}: podman passes it over; fix or remove the file",
                        quote(name), quote(path), error.message));
    };
    for (const std::string& file : files) {
        const std::string name = file.substr(path.size() + 1);
        auto text = read_regular_file(AT_FDCWD, file, kMaxFile);
        if (is_absent(text)) continue;  // removed meanwhile
        if (!text && text.error().exit_code != EX_DATAERR) return std::move(text).error();
        if (!text) {
            pass_over(name, text.error());
            continue;
        }
        auto network = parse_podman_network(*text);
        if (network) {
            networks.push_back(std::move(*network));
            continue;
        }
        pass_over(name, network.error());
        networks.push_back({{}, {}, false, {}, addresses_in(*text)});
    }
    return networks;
}

// As podman takes the host's resolvers: behind systemd-resolved's stub those that it asks itself.
Result<std::vector<IpPrefix>> host_name_servers() {
    std::vector<IpPrefix> servers;
    for (const char* path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
        auto text = read_regular_file(AT_FDCWD, path, kMaxFile);
        if (is_absent(text)) continue;
        if (!text) return std::move(text).error();
        for (const IpPrefix& server : name_servers(*text)) servers.push_back(server);
    }
    return servers;
}

bool may_be_in(const NetworkFacts& view, const PodmanNetwork& network) {
    const auto holds_own = [&](const IpPrefix& subnet) {
        return std::ranges::any_of(view.container_addresses, [&](const IpPrefix& address) {
            return subnet.contains(address);
        });
    };
    return view.network_is_deferred || std::ranges::any_of(network.subnets, holds_own);
}

}  // namespace

Status predict_gateways(NetworkFacts& view) {
    auto networks = TRY(read_networks(kRootsNetworks, view.warnings));
    const auto is_default = [](const PodmanNetwork& network) {
        return network.name == kDefaultNetwork;
    };
    if (std::ranges::none_of(networks, is_default))
        networks.push_back({std::string(kDefaultNetwork),
                            std::string(kDefaultDevice),
                            false,
                            {},
                            {*IpPrefix::parse(kDefaultGateway)}});
    for (const PodmanNetwork& network : networks)
        for (const IpPrefix& gateway : network.gateways)
            view.predicted_routes.push_back({gateway, JAIL_REASON_LOCAL, network.device});
    return ok();
}

Status predict_name_servers(NetworkFacts& view, const std::string& path) {
    auto servers = TRY(host_name_servers());
    view.name_servers.insert(view.name_servers.end(), servers.begin(), servers.end());
    if (view.shares_network) return ok();
    std::vector<std::string> unheard;  // nothing is opened for what is passed over
    const auto networks = TRY(read_networks(path, unheard));
    for (const PodmanNetwork& network : networks)
        if (network.serves_names && may_be_in(view, network))
            view.name_servers.insert(view.name_servers.end(), network.gateways.begin(),
                                     network.gateways.end());
    for (const std::string_view forwarder : kForwarders)
        view.name_servers.push_back(*IpPrefix::parse(forwarder));
    return ok();
}

}  // namespace jail_ai
