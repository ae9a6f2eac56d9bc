// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Containers that could go round the block.
#include "policy/risks.h"

#include <doctest/doctest.h>

using namespace jail_ai;

namespace {

const ContainerFacts kOrdinary{false, false, {}, {"/sys/fs/cgroup"}, {"/run/podman/podman.sock"},
                               {}};

std::string found(const Bundle& bundle, const ContainerFacts& facts) {
    std::string names;
    for (const FoundRisk& risk : find_risks(bundle, facts))
        names += std::string(risk_name(risk.risk)) + " ";
    return names;
}

BoundPath bound(std::string source, bool recursive, bool read_only, bool is_socket = false) {
    return {std::move(source), "/inside", recursive, read_only, is_socket, false, ""};
}

std::string found_by_bind(const BoundPath& bind) {
    ContainerFacts facts = kOrdinary;
    facts.binds = {bind};
    return found({}, facts);
}

}  // namespace

TEST_CASE("risks: an ordinary container has none, also with CAP_NET_RAW") {
    CHECK(found({{{"/sys/fs/cgroup", "cgroup", "cgroup", {"ro"}}},
                 {"CAP_NET_RAW", "CAP_CHOWN"},
                 {"pid", "cgroup"},
                 {}},
                kOrdinary) == "");
}

TEST_CASE("risks: the host's cgroups below a bind count unless a later mount covers them") {
    ContainerFacts facts = kOrdinary;
    facts.cgroup_mounts = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    const auto checked = [&](const std::string& source, const std::string& destination,
                             const std::vector<std::string>& before,
                             const std::vector<std::string>& after) {
        Bundle bundle;
        for (const std::string& mount : before)
            bundle.mounts.push_back({mount, "cgroup", "cgroup", {"ro"}});
        bundle.mounts.push_back({destination, source, "none", {"rbind", "ro"}});
        for (const std::string& mount : after)
            bundle.mounts.push_back({mount, "cgroup", "cgroup", {"ro"}});
        facts.binds = {{source, destination, true, true, false, false, ""}};
        return found(bundle, facts);
    };
    CHECK(checked("/sys", "/sys", {}, {"/sys/fs/cgroup"}) == "");
    CHECK(checked("/sys", "/sys", {}, {"/sys/fs"}) == "");
    CHECK(checked("/sys", "/host", {}, {"/host/fs/cgroup"}) == "");
    CHECK(checked("/sys", "/sys", {"/sys/fs/cgroup"}, {}) == "host-cgroups ");
    CHECK(checked("/sys", "/sys", {}, {"/sys/fs/cgroup/unified"}) == "host-cgroups ");
    CHECK(checked("/sys", "/sys", {}, {"/sys/fs/cgroup2", "/sys/fs/cg", "/fs/cgroup"}) ==
          "host-cgroups ");
    CHECK(checked("/sys", "/host", {}, {"/sys/fs/cgroup"}) == "host-cgroups ");
}

TEST_CASE(
    "risks: in a user namespace bpf(2) and modules are out of reach, the network namespace isn't") {
    ContainerFacts facts = kOrdinary;
    facts.in_user_namespace = true;
    CHECK(found({{}, {"CAP_NET_ADMIN", "CAP_BPF", "CAP_DAC_READ_SEARCH", "CAP_SYS_MODULE"}, {}, {}},
                facts) == "cap_net_admin cap_dac_read_search ");
    CHECK(found({{}, {"CAP_SYS_ADMIN", "CAP_BPF"}, {}, {}}, facts) == "cap_sys_admin ");
}

TEST_CASE("risks: capabilities by which the block can be undone") {
    CHECK(found({{},
                 {"CAP_NET_ADMIN", "CAP_BPF", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH",
                  "CAP_SYS_MODULE"},
                 {},
                 {}},
                kOrdinary) == "cap_net_admin cap_bpf cap_sys_admin ");
    CHECK(found({{}, {"CAP_DAC_READ_SEARCH", "CAP_SYS_MODULE"}, {}, {}}, kOrdinary) ==
          "cap_dac_read_search cap_sys_module ");
    const auto risks = find_risks({{}, {"CAP_NET_ADMIN"}, {}, {}}, kOrdinary);
    CHECK(risks[0].what == "it has CAP_NET_ADMIN");
    CHECK(risks[0].remedy ==
          "drop it (--cap-drop=NET_ADMIN, not --privileged; compose: cap_drop: [NET_ADMIN])");
}

TEST_CASE("risks: the remedy is one for the unit, manifest or command that it is read beside") {
    ContainerFacts facts = kOrdinary;
    facts.sees_other_processes = true;
    Bundle bundle{{}, {"CAP_BPF"}, {"network"}, {}};
    bundle.of_pod = true;
    const auto of_pod = find_risks(bundle, facts);
    CHECK(of_pod[0].remedy ==
          "drop it (securityContext: {privileged: false, capabilities: {drop: [BPF]}})");
    CHECK(of_pod[1].remedy == "hostPID: false");
    bundle.of_process = true;
    const auto of_service = find_risks(bundle, facts);
    CHECK(of_service[0].remedy == "drop it (CapabilityBoundingSet=~CAP_BPF)");
    CHECK(of_service[1].remedy == "PrivatePIDs=yes");
}

TEST_CASE("risks: a cgroup file system that shows more than the container's own") {
    const Bundle writable{{{"/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}}}, {}, {}, {}};
    CHECK(found(writable, kOrdinary) == "");
    ContainerFacts shared = kOrdinary;
    shared.shares_cgroup_namespace = true;
    CHECK(found(writable, shared) == "host-cgroups ");
    CHECK(found({{{"/sys/fs/cgroup", "cgroup", "cgroup", {"ro"}}}, {}, {}, {}}, shared) == "");
    CHECK(found({{{"/sys/fs/cgroup", "cgroup", "cgroup", {}}}, {}, {"cgroup"}, {"cgroup"}},
                kOrdinary) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys/fs/cgroup", true, false)) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys/fs/cgroup/a", false, false)) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys/fs/cgroup", true, true)) == "");
    CHECK(found_by_bind(bound("/sys", true, true)) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys", false, false)) == "");
    CHECK(found_by_bind(bound("/sys/fs/cgroup2", true, false)) == "");
}

TEST_CASE("risks: an engine's socket, itself or below a mount") {
    CHECK(found_by_bind(bound("/elsewhere/docker.sock", false, true, true)) == "engine-socket ");
    CHECK(found_by_bind(bound("/elsewhere/docker.sock", false, true, false)) == "");
    CHECK(found_by_bind(bound("/elsewhere/other.sock", false, true, true)) == "");
    CHECK(found_by_bind(bound("/run/podman/podman.sock", false, true, true)) == "engine-socket ");
    CHECK(found_by_bind(bound("/run/podman", false, true)) == "engine-socket ");
    CHECK(found_by_bind(bound("/run", false, true)) == "engine-socket ");
    CHECK(found_by_bind(bound("/", false, true)) == "engine-socket ");
    CHECK(found_by_bind(bound("/", true, true)) == "host-cgroups engine-socket ");
    CHECK(found_by_bind(bound("/run/podman2", false, true)) == "");
    BoundPath folder = bound("/srv/sockets", false, true);
    folder.engine_socket = "docker.sock";
    CHECK(found_by_bind(folder) == "engine-socket ");
    for (const char* name : {"podman.sock", "/a/docker.sock", "/crio.sock", "containerd.sock"})
        CHECK(is_engine_socket(name));
    CHECK_FALSE(is_engine_socket("/run/my-docker.sock"));
}

TEST_CASE("risks: the host's processes, although config.json names a PID namespace") {
    ContainerFacts facts = kOrdinary;
    facts.sees_other_processes = true;
    CHECK(found({{}, {}, {"network", "mount"}, {}}, facts) == "host-pid ");
    CHECK(found({}, facts) == "");
    BoundPath proc = bound("/proc", false, true);
    proc.is_procfs = true;
    CHECK(found_by_bind(proc) == "host-pid ");
}

TEST_CASE("risks: what is mounted, by what it shows") {
    const auto found_by_mount = [](const SeenMount& mount) {
        ContainerFacts facts = kOrdinary;
        facts.mounts = {mount};
        return find_risks({}, facts);
    };
    const auto socket =
        found_by_mount({"/a", "/run/podman", "/run/podman/podman.sock", false, false});
    REQUIRE(socket.size() == 1);
    CHECK(socket[0].risk == Risk::engine_socket);
    CHECK(socket[0].what ==
          "'/a' gives it the place of a container engine's socket, '/run/podman/podman.sock'");
    const auto processes = found_by_mount({"/p", "/proc", "", true, false});
    REQUIRE(processes.size() == 1);
    CHECK(processes[0].risk == Risk::host_pid);
    CHECK(processes[0].what == "'/p' shows it '/proc' of the host");
    const auto cgroups = found_by_mount({"/c", "/sys/fs/cgroup", "", false, true});
    REQUIRE(cgroups.size() == 1);
    CHECK(cgroups[0].risk == Risk::host_cgroups);
    CHECK(cgroups[0].what ==
          "it can leave its cgroup by '/c': '/sys/fs/cgroup' of the host, with its cgroup file "
          "system");
}

TEST_CASE("risks: sockets from outside are named by number and kind") {
    ContainerFacts facts = kOrdinary;
    facts.descriptors = {{3, "an inet socket"}, {7, "a packet socket"}};
    const auto risks = find_risks({}, facts);
    REQUIRE(risks.size() == 2);
    CHECK(risks[0].risk == Risk::inherited_sockets);
    CHECK(risks[0].what == "its descriptor 3 is an inet socket from outside");
    CHECK(risks[1].what == "its descriptor 7 is a packet socket from outside");
}

namespace {

const Unguarded kNobodyListens{true, false, {true, {}}};

std::vector<FoundRisk> found_unguarded(Unguarded unguarded, ReachableFamilies open_sockets,
                                       std::set<std::string> capabilities = {}) {
    Bundle bundle;
    unguarded.open_sockets = open_sockets;
    bundle.capabilities = std::move(capabilities);
    ContainerFacts facts = kOrdinary;
    facts.unguarded = unguarded;
    return find_risks(bundle, facts);
}

}  // namespace

TEST_CASE("risks: with a guard, or with closed families, sockets of other families are none") {
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, kOrdinary) == "");
    CHECK(found_unguarded(kNobodyListens, {SocketAccess::no, SocketAccess::no}, {"CAP_NET_RAW"})
              .empty());
}

TEST_CASE("risks: packet sockets need CAP_NET_RAW, and reject the container") {
    CHECK(found_unguarded(kNobodyListens, {SocketAccess::yes, SocketAccess::no}).empty());
    const auto risks =
        found_unguarded(kNobodyListens, {SocketAccess::yes, SocketAccess::no}, {"CAP_NET_RAW"});
    REQUIRE(risks.size() == 1);
    CHECK(risks[0].risk == Risk::cap_net_raw);
    CHECK(risks[0].is_fatal);
    CHECK(risks[0].what == "it has CAP_NET_RAW and can open packet sockets");
    for (const char* remedy : {"--cap-drop=NET_RAW", "precreate", "50-jail-ai-hook.conf",
                               "seccomp profile", "lsm=…,bpf"}) {
        INFO(remedy);
        CHECK(risks[0].remedy.find(remedy) != std::string::npos);
    }
    const auto by_ia32 =
        found_unguarded(kNobodyListens, {SocketAccess::by_ia32, SocketAccess::no}, {"CAP_NET_RAW"});
    REQUIRE(by_ia32.size() == 1);
    CHECK(by_ia32[0].risk == Risk::ia32);
    CHECK(by_ia32[0].what ==
          "it has CAP_NET_RAW and can open packet sockets by 32-bit system calls");
}

TEST_CASE(
    "risks: in the host's network CAP_NET_RAW is one with and without a guard, as long as it "
    "counts there") {
    ContainerFacts facts = kOrdinary;
    facts.shares_network = true;
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, facts) == "cap_net_raw ");
    CHECK(found({}, facts) == "");
    const auto risks = find_risks({{}, {"CAP_NET_RAW"}, {}, {}}, facts);
    CHECK(risks[0].is_fatal);
    CHECK(risks[0].remedy.find("--cap-drop=NET_RAW") != std::string::npos);
    facts.in_user_namespace = true;
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, facts) == "");
    facts.in_user_namespace = false;
    facts.unguarded = kNobodyListens;
    facts.unguarded->open_sockets = {SocketAccess::no, SocketAccess::no, SocketAccess::yes};
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, facts) == "cap_net_raw ");
    facts.unguarded->open_sockets.ip = SocketAccess::no;
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, facts) == "");
}

TEST_CASE(
    "risks: where the kernel loses the sockets of fragments, CAP_NET_RAW is one with and without a "
    "guard") {
    ContainerFacts facts = kOrdinary;
    facts.loses_fragments = true;
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, facts) == "cap_net_raw ");
    CHECK(found({}, facts) == "");
    const auto risks = find_risks({{}, {"CAP_NET_RAW"}, {}, {}}, facts);
    CHECK(risks[0].is_fatal);
    CHECK(risks[0].remedy.find("--cap-drop=NET_RAW") != std::string::npos);
    facts.unguarded = kNobodyListens;
    facts.unguarded->open_sockets = {SocketAccess::no, SocketAccess::no, SocketAccess::yes};
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, facts) == "cap_net_raw ");
    facts.unguarded->open_sockets.ip = SocketAccess::no;
    CHECK(found({{}, {"CAP_NET_RAW"}, {}, {}}, facts) == "");
}

TEST_CASE(
    "risks: vsock rejects the container if a process listens or that is unknown, else it is "
    "reported") {
    const auto told = found_unguarded(kNobodyListens, {SocketAccess::no, SocketAccess::yes});
    REQUIRE(told.size() == 1);
    CHECK(told[0].risk == Risk::vsock);
    CHECK_FALSE(told[0].is_fatal);
    const auto refused =
        found_unguarded({true, false, {true, {22, 80}}}, {SocketAccess::no, SocketAccess::yes});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].is_fatal);
    CHECK(refused[0].what ==
          "it can open vsock sockets, and a process of this machine listens on vsock port 22");
    const auto unknown =
        found_unguarded({true, false, {false, {}}}, {SocketAccess::no, SocketAccess::yes});
    REQUIRE(unknown.size() == 1);
    CHECK(unknown[0].is_fatal);
    CHECK(unknown[0].what.find("no vsock_diag") != std::string::npos);
}

TEST_CASE("risks: abstract Unix sockets are reported, with what helps on this kernel") {
    const auto newer =
        found_unguarded({true, true, {true, {}}}, {SocketAccess::no, SocketAccess::no});
    REQUIRE(newer.size() == 1);
    CHECK(newer[0].risk == Risk::abstract_unix);
    CHECK_FALSE(newer[0].is_fatal);
    CHECK(newer[0].remedy.find("lsm=…,bpf") != std::string::npos);
    const auto older =
        found_unguarded({false, true, {true, {}}}, {SocketAccess::no, SocketAccess::no});
    REQUIRE(older.size() == 1);
    CHECK(older[0].remedy.find("lsm=") == std::string::npos);
    CHECK(older[0].remedy.find("network namespace of its own") != std::string::npos);
}

TEST_CASE(
    "risks: ports of its own loopback that lead to the host's are told, all of them are refused") {
    ContainerFacts facts = kOrdinary;
    facts.forwards = {{"-T 4000", false}, {"-U auto", true}};
    const auto risks = find_risks({}, facts);
    REQUIRE(risks.size() == 2);
    CHECK(risks[0].risk == Risk::host_loopback);
    CHECK_FALSE(risks[0].is_fatal);
    CHECK(risks[0].what ==
          "its own loopback leads to the host's 127.0.0.1 and ::1, by pasta's '-T 4000': on these "
          "ports");
    CHECK(risks[1].is_fatal);
}
