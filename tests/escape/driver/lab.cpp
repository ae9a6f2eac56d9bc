// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The laboratory; see lab.h.
#include "lab.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "failure.h"
#include "link_events.h"
#include "netlink.h"

namespace escape {

namespace {

using jail_ai::UniqueFd;
using jail_ai::test::Netlink;
using jail_ai::test::NetworkNamespace;
using jail_ai::test::Visit;
using jail_ai::test::wait_until_running;

constexpr int relayed_mtu = 65520;  // what podman gives to user-mode networks

void write_setting(const std::string& path, const std::string& value, bool needed = true) {
    UniqueFd fd(::open(("/proc/sys/net/" + path).c_str(), O_WRONLY | O_CLOEXEC));
    bool written =
        fd && ::write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
    if (!written && needed) give_up("set " + path);
}

// Empty when the tool did what the text says.
std::string run_tool(const std::vector<const char*>& command, const std::string& text) {
    int input = ::memfd_create("input", MFD_CLOEXEC), said = ::memfd_create("said", MFD_CLOEXEC);
    if (input < 0 || said < 0 || ::write(input, text.data(), text.size()) < 0 ||
        ::lseek(input, 0, SEEK_SET) < 0)
        give_up("write for a tool");
    UniqueFd input_end(input), said_end(said);
    pid_t child = ::fork();
    if (child == 0) {
        std::vector<char*> argv;
        for (const char* word : command) argv.push_back(const_cast<char*>(word));
        argv.push_back(nullptr);
        ::dup2(input, 0);
        ::dup2(said, 1);
        ::dup2(said, 2);
        ::setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) give_up("run a tool");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
    std::string answer(512, 0);
    ssize_t size = ::pread(said, answer.data(), answer.size(), 0);
    answer.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return std::string(command[0]) + ": " + answer.substr(0, answer.find('\n'));
}

// The commands of a batch for each family, of which one may be empty.
std::string run_ip(const char* ip, const char* ip6) {
    std::string failure = *ip == 0 ? "" : run_tool({"ip", "-batch", "-"}, ip);
    if (failure.empty() && *ip6 != 0) failure = run_tool({"ip", "-6", "-batch", "-"}, ip6);
    return failure;
}

// Addresses are usable at once and nothing but what the suite sends is on the wire, also in a
// namespace that somebody else has made.
void quieten() {
    write_setting("ipv6/conf/default/accept_dad", "0");
    write_setting("ipv6/conf/default/addr_gen_mode", "1");
    write_setting("ipv6/conf/default/router_solicitations", "0");
    write_setting("ipv6/conf/all/accept_ra", "0");
    write_setting("ipv6/conf/default/accept_ra", "0");
    write_setting("ipv4/ping_group_range", "0 2147483647");
    Netlink().set_up("lo");
}

// The kernel's own sockets of a namespace belong to the cgroup of the process that made it.
UniqueFd netns_born_in(int cgroup_procs) {
    int ready[2], done[2];
    if (::pipe2(ready, O_CLOEXEC) || ::pipe2(done, O_CLOEXEC)) give_up("make a pipe");
    pid_t maker = ::fork();
    char byte = 0;
    if (maker == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(done[1]);
        if (::write(cgroup_procs, "0", 1) != 1 || ::unshare(CLONE_NEWNET) ||
            ::write(ready[1], &byte, 1) != 1)
            ::_exit(1);
        ::_exit(::read(done[0], &byte, 1) == 0 ? 0 : 1);
    }
    ::close(ready[1]);
    ::close(done[0]);
    if (::read(ready[0], &byte, 1) != 1) give_up("make a network namespace in the cgroup");
    UniqueFd fd(
        ::open(("/proc/" + std::to_string(maker) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
    ::close(ready[0]);
    ::close(done[1]);
    ::waitpid(maker, nullptr, 0);
    return fd;
}

}  // namespace

void Lab::within(int netns, const std::function<void()>& work) const {
    const Visit visit(netns);
    work();
}

Lab::Lab(const World& world) : world_(world) {
    within(ext(), quieten);
    within(host(), [&] {
        quieten();
        Netlink().add_veth("hx", "eth0", ext(), "02:00:00:78:00:01", "02:00:00:78:00:02");
        Netlink().add_address("lo", "10.77.9.1/32");
        Netlink().add_address("hx", "10.78.0.1/24");
        Netlink().add_address("hx", "fd78::1/64");
        Netlink().add_address("hx", "fe80::78:1/64");
        Netlink().set_up("hx");
        write_setting("ipv4/ip_forward", "1");
        write_setting("ipv6/conf/all/forwarding", "1");
        write_setting("ipv4/conf/all/accept_source_route", "1");
        write_setting("ipv4/conf/default/accept_source_route", "1");
        write_setting("ipv6/conf/all/seg6_enabled", "1", false);
        write_setting("ipv6/conf/default/seg6_enabled", "1", false);
    });
    within(ext(), [&] {
        Netlink().set_up("eth0");
        wait_until_running("eth0");
        Netlink().add_address("eth0", "10.78.0.2/24");
        Netlink().add_address("eth0", "fd78::2/64");
        Netlink().add_address("eth0", "fe80::78:2/64");
        Netlink().add_route("0.0.0.0/0", "10.78.0.1");
        Netlink().add_route("::/0", "fd78::1");
        // ext tells its multipath TCP peers that the host is one more address of its own; a kernel
        // without that misses one route.
        [[maybe_unused]] int status = std::system(
            "PATH=/usr/sbin:/sbin:/usr/bin:/bin ip mptcp endpoint add 10.77.0.1 signal "
            "2>/dev/null");
    });
    if (world.is_relayed()) lacking_ = UserNetwork::lacking(world.helper);
    if (!lacking_.empty()) return;
    within(host(), [&] { furnish(); });
    if (lacking_.empty()) renew_container();
}

// With a tool of the machine, which an initramfs may not have; and a kernel may not have what it is
// asked for.
void Lab::furnish() {
    lacking_ = run_ip(world_.ip, world_.ip6);
    if (lacking_.empty() && *world_.nft != 0) lacking_ = run_tool({"nft", "-f", "-"}, world_.nft);
    if (!lacking_.empty()) return;
    for (const World::Setting& setting : world_.host_settings)
        write_setting(setting.path, setting.value);
    // Only there once something tracks connections.
    if (world_.second_leg) {
        write_setting("netfilter/nf_conntrack_udp_timeout", std::to_string(conntrack_seconds));
        write_setting("netfilter/nf_conntrack_udp_timeout_stream",
                      std::to_string(conntrack_seconds));
    }
}

void Lab::renew_container(int born_in) {
    user_network_.stop();
    const NetworkNamespace former =
        std::move(container_);  // held until its link is deleted: it would go by itself, some time
    container_ = born_in < 0 ? NetworkNamespace() : NetworkNamespace(netns_born_in(born_in));
    within(container(), quieten);
    within(host(), [&] {
        for (const char* link : {"vh", "vp", "mp", "vg"}) Netlink().delete_link(link);
        link_container();
        if (world_.is_relayed()) return;
        Netlink().add_address("vh", "10.77.0.1/24");
        Netlink().add_address("vh", "fd77::1/64");
        Netlink().add_address("vh", "fe80::77:1/64");
        Netlink().set_up("vh");
        if (std::string failure = run_ip(world_.linked_ip, world_.linked_ip6); !failure.empty())
            give_up(failure);
        if (!world_.second_leg) return;
        Netlink().add_veth("vg", "eth1", container(), "02:00:00:76:00:01", "02:00:00:76:00:02");
        Netlink().add_address("vg", "10.76.0.1/24");
        Netlink().add_address("vg", "fd76::1/64");
        Netlink().set_up("vg");
    });
    within(container(), [&] {
        for (const World::Setting& setting : world_.container_settings)
            write_setting(setting.path, setting.value);
        const char* link = world_.container_link();
        if (world_.is_relayed()) Netlink().set_mtu(link, relayed_mtu);
        Netlink().add_address(link, std::string(world_.own4) + "/24");
        Netlink().add_address(link, std::string(world_.own6) + "/64");
        Netlink().add_address(link, "fe80::77:2/64");
        Netlink().set_up(link);
        Netlink().add_route("0.0.0.0/0", world_.gateway4);
        Netlink().add_route("::/0", world_.gateway6);
        // A container may be configured to serve TCP Fast Open; it helps the adversary.
        write_setting("ipv4/tcp_fastopen", "3");
        wait_until_running(link);
        if (world_.is_relayed()) return;
        // Routers take their time to answer for an anycast address (RFC 4861 7.2.7).
        Netlink().add_neighbour("eth0", "fd77::", host_mac);
        if (!world_.second_leg) return;
        Netlink().add_address("eth1", "10.76.0.2/24");
        Netlink().add_address("eth1", "fd76::2/64");
        Netlink().set_up("eth1");
        wait_until_running("eth1");
    });
    within(host(), [&] {
        if (world_.link != Link::bridge && !world_.is_relayed()) wait_until_running("vh");
        if (world_.second_leg) wait_until_running("vg");
    });
}

// eth0 of the container, and vh.
void Lab::link_container() {
    switch (world_.link) {
        case Link::veth:
            Netlink().add_veth("vh", "eth0", container(), host_mac, container_mac);
            if (*world_.master != 0)
                Netlink().set_master(
                    "vh", world_.master);  // before it has addresses, which it would lose
            return;
        case Link::bridge:
            Netlink().add_bridge("vh", host_mac);
            Netlink().add_veth("vp", "eth0", container(), "02:00:00:77:00:03", container_mac);
            Netlink().set_master("vp", "vh");
            Netlink().set_up("vp");
            // A bridge that is set up with a port that runs carries packets at once; a port that
            // comes later makes it wait for a second.
            within(container(), [] { Netlink().set_up("eth0"); });
            return wait_until_running("vp");
        case Link::macvlan:
        case Link::ipvlan:
            // The wire's other end is out of the way of the capture.
            Netlink().add_veth("mp", "mq", ext(),
                               world_.link == Link::ipvlan ? host_mac : "02:00:00:77:00:03",
                               "02:00:00:77:00:04");
            within(ext(), [] { Netlink().set_up("mq"); });
            if (world_.link == Link::ipvlan) {
                Netlink().add_ipvlan("vh", "mp", -1);
                Netlink().add_ipvlan("eth0", "mp", container());
            } else {
                Netlink().add_macvlan("vh", host_mac, "mp", -1);
                Netlink().add_macvlan("eth0", container_mac, "mp", container());
            }
            Netlink().set_up("mp");
            return wait_until_running("mp");
        case Link::helper:
            return user_network_.start(world_.helper, host(), container(), world_.container_link());
    }
}

}  // namespace escape
