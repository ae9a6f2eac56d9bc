// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Containers that could go round the block.
#include "policy/risks.h"

#include <doctest/doctest.h>

using namespace jail_ai;

namespace {

const ContainerFacts kOrdinary{false, false, {}, {"/sys/fs/cgroup"}, {"/run/podman/podman.sock"}, {}};

std::string found(const Bundle& bundle, const ContainerFacts& facts) {
    std::string names;
    for (const FoundRisk& risk : find_risks(bundle, facts)) names += std::string(risk_name(risk.risk)) + " ";
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
    CHECK(found({{{"/sys/fs/cgroup", "cgroup", "cgroup", {"ro"}}}, {"CAP_NET_RAW", "CAP_CHOWN"}, {"pid", "cgroup"}, {}}, kOrdinary) == "");
}

TEST_CASE("risks: capabilities by which the block can be undone") {
    CHECK(found({{}, {"CAP_NET_ADMIN", "CAP_BPF", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_SYS_MODULE"}, {}, {}}, kOrdinary) ==
          "cap_net_admin cap_bpf cap_sys_admin ");
    CHECK(found({{}, {"CAP_DAC_READ_SEARCH", "CAP_SYS_MODULE"}, {}, {}}, kOrdinary) == "cap_dac_read_search cap_sys_module ");
    const auto risks = find_risks({{}, {"CAP_NET_ADMIN"}, {}, {}}, kOrdinary);
    CHECK(risks[0].what == "it has CAP_NET_ADMIN");
    CHECK(risks[0].remedy.find("--cap-drop=NET_ADMIN") != std::string::npos);
}

TEST_CASE("risks: a cgroup file system that shows more than the container's own") {
    const Bundle writable{{{"/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}}}, {}, {}, {}};
    CHECK(found(writable, kOrdinary) == "");
    ContainerFacts shared = kOrdinary;
    shared.shares_cgroup_namespace = true;
    CHECK(found(writable, shared) == "host-cgroups ");
    CHECK(found({{{"/sys/fs/cgroup", "cgroup", "cgroup", {"ro"}}}, {}, {}, {}}, shared) == "");
    CHECK(found({{{"/sys/fs/cgroup", "cgroup", "cgroup", {}}}, {}, {"cgroup"}, {"cgroup"}}, kOrdinary) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys/fs/cgroup", true, false)) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys/fs/cgroup/a", false, false)) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys/fs/cgroup", true, true)) == "");
    CHECK(found_by_bind(bound("/sys", true, true)) == "host-cgroups ");
    CHECK(found_by_bind(bound("/sys", false, false)) == "");
    CHECK(found_by_bind(bound("/sys/fs/cgroup2", true, false)) == "");
}

TEST_CASE("risks: an engine's socket, itself or somewhere below a mount") {
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
    for (const char* name : {"podman.sock", "/a/docker.sock", "/crio.sock", "containerd.sock"}) CHECK(is_engine_socket(name));
    CHECK_FALSE(is_engine_socket("/run/my-docker.sock"));
}

TEST_CASE("risks: the host's processes, where config.json says that the others are its own") {
    ContainerFacts facts = kOrdinary;
    facts.sees_other_processes = true;
    CHECK(found({{}, {}, {"network", "mount"}, {}}, facts) == "host-pid ");
    CHECK(found({}, facts) == "");
    BoundPath proc = bound("/proc", false, true);
    proc.is_procfs = true;
    CHECK(found_by_bind(proc) == "host-pid ");
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
