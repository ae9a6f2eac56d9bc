// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/routes.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <array>
#include <map>
#include <optional>

#include "base/absence.h"
#include "base/unique_fd.h"
#include "system/netlink_dump.h"
#include "system/route_messages.h"

namespace jail_ai {
namespace {

constexpr int kDumpTries =
    8;  // a dump that the kernel marks as interrupted is inconsistent and is made again

// The names of interfaces, each asked for once; empty for one that has gone. As if_indextoname(3),
// by a socket that is open already.
class DeviceNames {
public:
    explicit DeviceNames(int fd) : fd_(fd) {}

    const std::string& of(std::uint32_t index) {
        auto [name, fresh] = names_.try_emplace(index);
        ifreq request{};
        request.ifr_ifindex = static_cast<int>(index);
        if (!fresh || index == 0) return name->second;
        if (::ioctl(fd_, SIOCGIFNAME, &request) == 0)
            name->second = request.ifr_name;
        else if (!means_absent(Sought::interface, errno))
            failure_ = system_error(fmt::format("ask for the name of interface {}", index), errno);
        return name->second;
    }

    // Of any of them.
    Status failure() const { return failure_ ? Status(*failure_) : ok(); }

private:
    int fd_;
    std::map<std::uint32_t, std::string> names_;
    std::optional<Error> failure_;
};

struct RouteKind {
    unsigned char family;
    unsigned char type;
};
constexpr std::array kDelivered = {RouteKind{AF_INET, RTN_LOCAL}, RouteKind{AF_INET, RTN_BROADCAST},
                                   RouteKind{AF_INET, RTN_ANYCAST}, RouteKind{AF_INET6, RTN_LOCAL},
                                   RouteKind{AF_INET6, RTN_ANYCAST}};

// Reads all tables: rules lead to others than table local by addresses, marks, devices (a VRF) and
// programs, and come later than routes.
Result<bool> dump_routes(int fd, std::vector<LocalRoute>& routes, DeviceNames& names) {
    rtmsg request{};
    bool consistent = true;
    for (const RouteKind& kind : kDelivered) {
        request.rtm_family = kind.family;
        request.rtm_type = kind.type;  // with strict checking the kernel sends no others, not a
                                       // router's million routes
        auto done = TRY(dump_once<rtmsg>(fd, RTM_GETROUTE, &request, sizeof request,
                                         [&](const rtmsg& route, const Attributes& attributes) {
                                             if (route.rtm_type != kind.type) return;
                                             if (const auto local = read_route(route, attributes))
                                                 routes.push_back({local->prefix, local->reason,
                                                                   names.of(local->interface)});
                                         })
                            .context("local routes"));
        if (done.error != 0) return system_error("local routes", done.error);
        consistent = consistent && done.consistent;
    }
    return consistent;
}

Result<bool> dump_addresses(int fd, std::vector<LocalRoute>& routes, DeviceNames& names) {
    ifaddrmsg request{};
    auto done = TRY(
        dump_once<ifaddrmsg>(
            fd, RTM_GETADDR, &request, sizeof request,
            [&](const ifaddrmsg& message, const Attributes& attributes) {
                for (const DeliveredPrefix& local : read_interface_addresses(message, attributes))
                    routes.push_back({local.prefix, local.reason, names.of(local.interface)});
            })
            .context("interface addresses"));
    if (done.error != 0) return system_error("interface addresses", done.error);
    return done.consistent;
}

}  // namespace

Result<std::vector<LocalRoute>> read_local_routes() {
    const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!fd) return system_error("rtnetlink socket", errno);
    const int on = 1;
    // Only a filter (kernel 4.20); what an older kernel sends beyond it is sorted out above.
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    DeviceNames names(fd.get());
    for (int attempt = 0; attempt < kDumpTries; ++attempt) {
        std::vector<LocalRoute> routes;
        auto routed = TRY(dump_routes(fd.get(), routes, names).context("rtnetlink"));
        auto addressed = TRY(dump_addresses(fd.get(), routes, names).context("rtnetlink"));
        TRY(names.failure().context("rtnetlink"));
        if (routed && addressed) return routes;
    }
    return Error{EX_TEMPFAIL,
                 fmt::format("rtnetlink: addresses changed during each of {} reads", kDumpTries)};
}

}  // namespace jail_ai
