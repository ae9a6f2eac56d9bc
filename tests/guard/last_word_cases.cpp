// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the hook says to a config.json that leaves routes open which no network hook sees: with the
// guard nothing, without it a refusal or a warning.
#include <sysexits.h>

#include "files.h"
#include "rig.h"

namespace jail_ai::test {
namespace {

const std::string kSpecCapabilities =
    R"("CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE")";  // as crun spec and runc spec write
                                                               // them

std::string config(const std::string& capabilities, const std::string& linux_part = "{}") {
    return R"({"ociVersion":"1.0.2","process":{"args":["/x"],"cwd":"/","capabilities":{"bounding":[)" +
           capabilities + R"(]}},"root":{"path":"rootfs"},"mounts":[],"linux":)" + linux_part + "}";
}

HookOutcome run_hook(const Container& container, const std::string& config_json, bool hides_lsm) {
    create_file(container.state.bundle + "/config.json", config_json);
    HookCall call = container.call();
    if (hides_lsm) call.before_exec = hide_list_of_lsms;
    return Laboratory::get().hook.run(call);
}

void expect_jailed_with_warning(const HookOutcome& outcome, const TestCgroup& cgroup,
                                const std::vector<std::string>& parts) {
    INFO(outcome.err);
    CHECK(outcome.exit_code == 0);
    expect_programs_attached(cgroup, Guard::none);
    for (const std::string& part : parts) {
        INFO(part);
        CHECK(outcome.err.find(part) != std::string::npos);
    }
}

TEST_CASE(
    "without a guard, what a runtime's spec command writes is jailed, and the log says what is "
    "open") {
    Container container;
    expect_jailed_with_warning(
        run_hook(container, config(kSpecCapabilities), true), container.cgroup,
        {"left open: it can open vsock sockets", "no process on this machine listens now",
         "precreate", "accept=vsock"});
}

TEST_CASE("without a guard, CAP_NET_RAW with packet sockets open is rejected") {
    Container container;
    const HookOutcome outcome = run_hook(container, config(R"("CAP_NET_RAW")"), true);
    expect_refused(outcome, EX_CONFIG, "it has CAP_NET_RAW and can open packet sockets",
                   container.cgroup);
    for (const char* part :
         {"--cap-drop=NET_RAW", "precreate", "jail-ai.block-host.accept=cap_net_raw"}) {
        INFO(part);
        CHECK(outcome.err.find(part) != std::string::npos);
    }
}

TEST_CASE(
    "it is taken where it is accepted, where the host is only watched, and where a profile closes "
    "them") {
    Container accepted(Container::Options{
        .annotations =
            R"({"jail-ai.block-host":"true","jail-ai.block-host.accept":"cap_net_raw vsock"})"});
    expect_jailed_with_warning(run_hook(accepted, config(R"("CAP_NET_RAW")"), true),
                               accepted.cgroup,
                               {"accepted risk cap_net_raw: ", "accepted risk vsock: "});
    Container watched(Container::Options{.annotations = R"({"jail-ai.block-host":"audit"})"});
    expect_jailed_with_warning(run_hook(watched, config(R"("CAP_NET_RAW")"), true), watched.cgroup,
                               {"would be rejected, were it not an audit: it has CAP_NET_RAW"});
    Container closed;
    expect_jailed(
        run_hook(closed,
                 config(R"("CAP_NET_RAW")", R"({"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}})"),
                 true),
        closed.cgroup, Guard::none);
}

TEST_CASE("with the guard nothing of that is open, and nothing is said") {
    NEED_GUARD();
    Container container;
    expect_jailed(run_hook(container, config(R"("CAP_NET_RAW")"), false), container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
