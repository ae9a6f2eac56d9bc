// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a jail costs on the way to a destination that is allowed: connect(2) and sendto(2), and what
// goes through connections that are there, by the processor time of a thread that has both ends.
// (Throughput by the clock says how busy a machine is.) Beside it, one after the other in each
// round: no programs at all, programs that let everything pass, a program that drops by destination
// on the way out, the floor of a jail, which only asks the kernel what a jail has to ask it (both
// path_yardsticks.bpf.c), and nftables with a rule for the cgroup. Each has a container and a
// network of its own.
#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <vector>

#include "attempt.h"
#include "base/ip_prefix.h"
#include "container.h"
#include "jail/open_jail.h"
#include "jail/program_table.h"
#include "jail_memory.h"
#include "median.h"
#include "must.h"
#include "path_yardsticks_skeleton.h"

namespace jail_ai::bench {
namespace {

using test::Container;
using test::Destination;
using test::Laboratory;
using test::must;
using test::NetworkNamespace;

constexpr std::uint16_t kServed = 7001, kSink = 7002;
constexpr std::size_t kChunk = 64 << 10;

int rounds() {
    const char* wanted = std::getenv("BENCH_ROUNDS");
    return wanted != nullptr ? std::max(3, std::atoi(wanted)) : 25;
}

// The other end, on the internet: it serves both families by sockets for IPv6.
struct Server {
    UniqueFd listener, datagrams, sink;
};

UniqueFd bound(int type, std::uint16_t port) {
    UniqueFd socket(must(::socket(AF_INET6, type | SOCK_CLOEXEC, 0), "open a server's socket"));
    const int off = 0, on = 1;
    must(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), "serve both");
    must(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse a port");
    sockaddr_in6 here{};
    here.sin6_family = AF_INET6;
    here.sin6_port = htons(port);
    must(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), "bind");
    return socket;
}

const Server& server() {
    static const Server one = [] {
        const test::Visit visit(Laboratory::get().network.internet);
        Server made{bound(SOCK_STREAM, kServed), bound(SOCK_DGRAM, kServed),
                    bound(SOCK_DGRAM, kSink)};
        must(::listen(made.listener.get(), 16), "listen");
        return made;
    }();
    return one;
}

enum class Work { tcp_connect, udp_connect, udp_sendto, bulk, request_response, udp_packets };

// What a container's process does, and how often.
struct Order {
    Work work;
    int family;
    Destination to;
    int listener, datagrams;
    unsigned times;
};

double thread_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

constexpr double kFailed = -1;

UniqueFd open_socket(const Order& order, int type) {
    return UniqueFd(::socket(order.family, type | SOCK_CLOEXEC, 0));
}

bool connects(const UniqueFd& socket, const Order& order) {
    return ::connect(socket.get(), order.to.get(), order.to.length) == 0;
}

// Both ends of a connection; the client's is aborted in the end, which leaves nothing to wait for.
struct Ends {
    UniqueFd client, served;
    double connect_ns = 0;

    static Ends make(const Order& order) {
        Ends ends{open_socket(order, SOCK_STREAM), UniqueFd(), 0};
        const linger abort{1, 0};
        const int on = 1;
        ::setsockopt(ends.client.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        const double begin = thread_ns();
        const bool done = connects(ends.client, order);
        ends.connect_ns = thread_ns() - begin;
        if (!done) return ends;
        ends.served = UniqueFd(::accept4(order.listener, nullptr, nullptr, SOCK_CLOEXEC));
        for (const UniqueFd* end : {&ends.client, &ends.served})
            ::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return ends;
    }
};

double connect_tcp(const Order& order) {
    double all = 0;
    for (unsigned i = 0; i < order.times; ++i) {
        const Ends ends = Ends::make(order);
        if (!ends.served) return kFailed;
        all += ends.connect_ns;
    }
    return all;
}

template <typename Each>
double timed(const Order& order, Each&& each) {
    const double begin = thread_ns();
    for (unsigned i = 0; i < order.times; ++i)
        if (!each()) return kFailed;
    return thread_ns() - begin;
}

double connect_udp(const Order& order) {
    const UniqueFd socket = open_socket(order, SOCK_DGRAM);
    return timed(order, [&] { return connects(socket, order); });
}

double send_udp(const Order& order) {
    const UniqueFd socket = open_socket(order, SOCK_DGRAM);
    return timed(order, [&] {
        return ::sendto(socket.get(), "x", 1, 0, order.to.get(), order.to.length) == 1;
    });
}

// One chunk there: what the kernel holds at a time is less.
bool carry_chunk(const Ends& ends, char* memory) {
    std::size_t sent = 0, got = 0;
    while (got < kChunk) {
        if (sent < kChunk) {
            const ssize_t more =
                ::send(ends.client.get(), memory, kChunk - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (more < 0 && errno != EAGAIN) return false;
            if (more > 0) sent += static_cast<std::size_t>(more);
        }
        const ssize_t more =
            ::recv(ends.served.get(), memory, kChunk, sent < kChunk ? MSG_DONTWAIT : 0);
        if (more == 0 || (more < 0 && errno != EAGAIN)) return false;
        if (more > 0) got += static_cast<std::size_t>(more);
    }
    return true;
}

double carry(const Order& order) {
    const Ends ends = Ends::make(order);
    std::vector<char> memory(kChunk);
    return ends.served ? timed(order, [&] { return carry_chunk(ends, memory.data()); }) : kFailed;
}

bool passes_a_byte(const UniqueFd& from, const UniqueFd& to) {
    char byte = 'x';
    return ::send(from.get(), &byte, 1, MSG_NOSIGNAL) == 1 && ::recv(to.get(), &byte, 1, 0) == 1;
}

double ask_and_answer(const Order& order) {
    const Ends ends = Ends::make(order);
    return ends.served ? timed(order,
                               [&] {
                                   return passes_a_byte(ends.client, ends.served) &&
                                          passes_a_byte(ends.served, ends.client);
                               })
                       : kFailed;
}

double send_and_receive(const Order& order) {
    const UniqueFd socket = open_socket(order, SOCK_DGRAM);
    if (!connects(socket, order)) return kFailed;
    char byte = 'x';
    return timed(order, [&] {
        return ::send(socket.get(), &byte, 1, 0) == 1 && ::recv(order.datagrams, &byte, 1, 0) == 1;
    });
}

// In a container: ns of a processor for each.
double obey(const Order& order) {
    double all = kFailed;
    switch (order.work) {
        case Work::tcp_connect: all = connect_tcp(order); break;
        case Work::udp_connect: all = connect_udp(order); break;
        case Work::udp_sendto: all = send_udp(order); break;
        case Work::bulk: all = carry(order); break;
        case Work::request_response: all = ask_and_answer(order); break;
        case Work::udp_packets: all = send_and_receive(order); break;
    }
    return all < 0 ? kFailed : all / order.times;
}

enum Side : std::size_t { kBare, kPassing, kJail, kFloor, kDropping, kNftables, kSides };

constexpr const char* kHostsAddresses[] = {"10.77.0.0/16", "10.78.0.1/32", "127.0.0.0/8",
                                           "224.0.0.0/4",  "fd77::/16",    "fd78::1/128",
                                           "fe80::/10",    "ff00::/8"};

bpf_prog_type kind_of(bpf_attach_type type) {
    switch (type) {
        case BPF_CGROUP_INET_EGRESS:
        case BPF_CGROUP_INET_INGRESS: return BPF_PROG_TYPE_CGROUP_SKB;
        case BPF_CGROUP_INET_SOCK_CREATE: return BPF_PROG_TYPE_CGROUP_SOCK;
        default: return BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
    }
}

void attach(int program, const Container& container, bpf_attach_type type) {
    must(::bpf_prog_attach(program, container.cgroup.fd(), type, BPF_F_ALLOW_MULTI),
         "attach a program");
}

void attach_passing(const Container& container) {
    constexpr bpf_insn kPass[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
                                  {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    for (const ProgramSlot& slot : kProgramTable) {
        struct bpf_prog_load_opts options {};
        options.sz = sizeof options;
        options.expected_attach_type = slot.type;
        const UniqueFd program(must(::bpf_prog_load(kind_of(slot.type), "bench_pass", "GPL", kPass,
                                                    std::size(kPass), &options),
                                    "load a program that passes everything"));
        attach(program.get(), container, slot.type);
    }
}

// The programs of path_yardsticks.bpf.c, of which one goes to one side and the others to another.
class Yardsticks {
public:
    explicit Yardsticks(const std::vector<IpPrefix>& rules)
        : skeleton_(path_yardsticks_bpf::open_and_load()) {
        if (skeleton_ == nullptr) test::throw_errno("load path_yardsticks.bpf.c");
        const std::uint8_t present = 1;
        for (const IpPrefix& prefix : rules)
            must(::bpf_map_update_elem(::bpf_map__fd(skeleton_->maps.path_rules), &prefix.key(),
                                       &present, BPF_ANY),
                 "fill path_rules");
    }
    ~Yardsticks() { path_yardsticks_bpf::destroy(skeleton_); }
    Yardsticks(const Yardsticks&) = delete;
    Yardsticks& operator=(const Yardsticks&) = delete;

    void attach_dropping(const Container& container) const {
        attach(::bpf_program__fd(skeleton_->progs.bench_drop), container, BPF_CGROUP_INET_EGRESS);
    }

    void attach_floor(const Container& container) const {
        const auto& programs = skeleton_->progs;
        for (const bpf_program* program :
             {programs.floor_connect4, programs.floor_connect6, programs.floor_sendmsg4,
              programs.floor_sendmsg6, programs.floor_create, programs.floor_egress,
              programs.floor_ingress})
            attach(::bpf_program__fd(program), container,
                   ::bpf_program__expected_attach_type(program));
    }

private:
    path_yardsticks_bpf* skeleton_;
};

std::vector<IpPrefix> hosts_addresses() {
    std::vector<IpPrefix> prefixes;
    for (const char* text : kHostsAddresses) prefixes.push_back(*IpPrefix::parse(text));
    return prefixes;
}

std::vector<IpPrefix> prefixes_of(const Container& container) {
    std::vector<IpPrefix> prefixes;
    const auto jail = open_jail_of(container.cgroup.fd());
    if (!jail || !*jail) return prefixes;
    const auto rules = read_rules(**jail);
    if (rules)
        for (const auto& [prefix, rule] : *rules) prefixes.push_back(prefix);
    return prefixes;
}

// nft(8) wants the cgroup's path below /sys/fs/cgroup; false if it isn't there, or can't.
bool add_nftables(const Container& container, const NetworkNamespace& network) {
    constexpr std::string_view kMount = "/sys/fs/cgroup/";
    const std::string& path = container.cgroup.path();
    if (!path.starts_with(kMount)) return false;
    const auto level = std::ranges::count(path.substr(test::cgroup2_mount().size()), '/');
    std::string elements[2];
    for (const std::string text : kHostsAddresses) {
        std::string& of_family = elements[text.find(':') != std::string::npos ? 1 : 0];
        of_family += (of_family.empty() ? "" : ", ") + text;
    }
    const std::string rules = fmt::format(
        "table inet bench {{\n"
        "set four {{ type ipv4_addr; flags interval; elements = {{ {0} }} }}\n"
        "set six {{ type ipv6_addr; flags interval; elements = {{ {1} }} }}\n"
        "chain out {{ type filter hook output priority 0;\n"
        "socket cgroupv2 level {2} \"{3}\" ip daddr @four reject\n"
        "socket cgroupv2 level {2} \"{3}\" ip6 daddr @six reject\n"
        "}}\n}}\n",
        elements[0], elements[1], level, path.substr(kMount.size()));
    const test::Visit visit(network);
    FILE* nft = ::popen("exec nft -f - 2>/dev/null", "w");
    if (nft == nullptr) return false;
    std::fputs(rules.c_str(), nft);
    return ::pclose(nft) == 0;
}

// The containers, each on a link of its own.
class Sides {
public:
    static Sides& get() {
        static Sides one;
        return one;
    }

    const Container& jail() const { return *containers_[kJail]; }
    bool has(Side side) const { return side != kNftables || has_nftables_; }

    double ask(Side side, const Order& order) {
        const double ns = containers_[side]->init.run([order] { return obey(order); });
        if (ns < 0)
            throw std::runtime_error(fmt::format("side {}: the call fails", std::size_t{side}));
        return ns;
    }

    // It denies: what is compared does its work.
    bool denies(Side side, const Destination& to) {
        return containers_[side]->init.run([to] {
            return test::attempt(test::Way::udp_connect, to, 0) == EPERM ||
                   test::attempt(test::Way::udp_sendto, to, 0) == EPERM;
        });
    }

private:
    Sides() {
        (void)server();  // older than the processes in the containers
        for (std::size_t side = 0; side < kSides; ++side) {
            test::link_to_host(
                Laboratory::get().network, networks_[side], fmt::format("bench{}", side).c_str(),
                fmt::format("10.77.{}.", 100 + side), fmt::format("fd77:{}::", 100 + side));
            Container::Options options;
            options.network = &networks_[side];
            // The server's sockets, which the process in the container holds as well.
            options.annotations =
                R"({"jail-ai.block-host":"true","jail-ai.block-host.accept":"inherited-sockets"})";
            containers_[side] = std::make_unique<Container>(options);
        }
        attach_passing(*containers_[kPassing]);
        Yardsticks(hosts_addresses()).attach_dropping(*containers_[kDropping]);
        has_nftables_ = add_nftables(*containers_[kNftables], networks_[kNftables]);
        const test::HookOutcome outcome = containers_[kJail]->run_hook();
        if (outcome.exit_code != 0) throw std::runtime_error("the hook rejects: " + outcome.err);
        Yardsticks(prefixes_of(*containers_[kJail])).attach_floor(*containers_[kFloor]);
    }

    std::array<NetworkNamespace, kSides> networks_;
    std::array<std::unique_ptr<Container>, kSides> containers_;
    bool has_nftables_ = false;
};

struct Row {
    const char* name;
    Work work;
    const char* to;  // "" in front of it: by a socket for IPv6
    int family;
    std::uint16_t port;
    unsigned times;
};

constexpr const char* kV4 = "10.78.0.2";
constexpr const char* kV6 = "fd78::2";
constexpr const char* kMapped = "::ffff:10.78.0.2";

constexpr Row kCalls[] = {
    {"connect TCP IPv4", Work::tcp_connect, kV4, AF_INET, kServed, 200},
    {"connect TCP IPv6", Work::tcp_connect, kV6, AF_INET6, kServed, 200},
    {"connect TCP mapped", Work::tcp_connect, kMapped, AF_INET6, kServed, 200},
    {"connect UDP IPv4", Work::udp_connect, kV4, AF_INET, kSink, 4000},
    {"connect UDP IPv6", Work::udp_connect, kV6, AF_INET6, kSink, 4000},
    {"connect UDP mapped", Work::udp_connect, kMapped, AF_INET6, kSink, 4000},
    {"sendto UDP IPv4", Work::udp_sendto, kV4, AF_INET, kSink, 1000},
    {"sendto UDP IPv6", Work::udp_sendto, kV6, AF_INET6, kSink, 1000},
    {"sendto UDP mapped", Work::udp_sendto, kMapped, AF_INET6, kSink, 1000},
};
constexpr Row kTraffic[] = {
    {"64 KiB by TCP IPv4", Work::bulk, kV4, AF_INET, kServed, 200},
    {"64 KiB by TCP IPv6", Work::bulk, kV6, AF_INET6, kServed, 200},
    {"request and response IPv4", Work::request_response, kV4, AF_INET, kServed, 300},
    {"request and response IPv6", Work::request_response, kV6, AF_INET6, kServed, 300},
    {"UDP packet IPv4", Work::udp_packets, kV4, AF_INET, kServed, 1000},
    {"UDP packet IPv6", Work::udp_packets, kV6, AF_INET6, kServed, 1000},
};

// Of a row: the median of what each round says of one side beside another.
struct Measured {
    std::array<std::vector<double>, kSides> ns;

    double ratio(Side one, Side other) const {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < ns[one].size(); ++i)
            ratios.push_back(ns[one][i] / ns[other][i]);
        return median(ratios);
    }
};

Measured measure(const Row& row) {
    Sides& sides = Sides::get();
    const Order order{row.work,
                      row.family,
                      test::destination(row.to, row.port),
                      server().listener.get(),
                      server().datagrams.get(),
                      row.times};
    Measured measured;
    const std::size_t all = static_cast<std::size_t>(rounds()) + 1;
    for (std::size_t round = 0; round < all; ++round)  // the first one warms up
        for (std::size_t i = 0; i < kSides; ++i) {
            const auto side = static_cast<Side>((i + round) % kSides);
            if (!sides.has(side)) continue;
            const double ns = sides.ask(side, order);
            if (round > 0) measured.ns[side].push_back(ns);
        }
    return measured;
}

// The same, and once and twice more if that is too much: another's burst of work ends, what a
// program costs stays.
Measured measure_until(const Row& row, Side other, double most) {
    Measured measured = measure(row);
    for (int again = 0; again < 2 && measured.ratio(kJail, other) >= most; ++again)
        measured = measure(row);
    return measured;
}

// Prints a row and gives what it has printed.
std::string show(const Row& row, const Measured& measured) {
    const std::string nftables =
        Sides::get().has(kNftables) ? fmt::format("{:.3f}", measured.ratio(kNftables, kBare)) : "-";
    const std::string text = fmt::format(
        "bench: {}: {:.3f} times programs that return 1, {:.3f} times no programs; egress drop "
        "{:.3f}, nftables {} times none; {:.2f} us of a processor (medians of {})",
        row.name, measured.ratio(kJail, kPassing), measured.ratio(kJail, kBare),
        measured.ratio(kDropping, kBare), nftables, median(measured.ns[kJail]) / 1e3,
        measured.ns[kJail].size());
    std::printf(
        "# %s\n# bench: floor of %s: %.3f times programs that return 1, of what a jail has "
        "to ask the kernel; %.2f us of a processor (medians of %zu)\n",
        text.c_str(), row.name, measured.ratio(kFloor, kPassing), median(measured.ns[kFloor]) / 1e3,
        measured.ns[kFloor].size());
    return text;
}

// Clearly more than what is aimed at, which is 1.05 and 1.03: what is noise on a busy machine is
// below.
constexpr double kMostOfPassing = 1.4, kMostOfBare = 1.25;

}  // namespace

TEST_CASE("path: what a jail holds in the kernel") {
    const Container& container = Sides::get().jail();
    const auto prefixes = prefixes_of(container).size();
    REQUIRE(prefixes > 0);
    const test::JailMemory memory = test::memory_of_jail(container.cgroup.fd());
    std::printf("# bench: memory of a jail with %zu prefixes: %llu bytes, of programs %llu\n",
                prefixes, static_cast<unsigned long long>(memory.all()),
                static_cast<unsigned long long>(memory.programs));
}

TEST_CASE("path: the sides that deny do so") {
    const Destination host = test::destination("10.78.0.1", 9);
    for (const Side side : {kJail, kFloor, kDropping, kNftables})
        CHECK((!Sides::get().has(side) || Sides::get().denies(side, host)));
    for (const Side side : {kBare, kPassing}) CHECK_FALSE(Sides::get().denies(side, host));
}

TEST_CASE("path: connect and sendto to what is allowed cost what programs that return 1 cost") {
    for (const Row& row : kCalls) {
        const Measured measured = measure_until(row, kPassing, kMostOfPassing);
        const std::string text = show(row, measured);
        CHECK_MESSAGE(measured.ratio(kJail, kPassing) < kMostOfPassing, text);
    }
}

TEST_CASE("path: what goes through costs hardly more than without programs") {
    for (const Row& row : kTraffic) {
        const Measured measured = measure_until(row, kBare, kMostOfBare);
        const std::string text = show(row, measured);
        CHECK_MESSAGE(measured.ratio(kJail, kBare) < kMostOfBare, text);
    }
}

}  // namespace jail_ai::bench
