// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Engines call the hook for every container of a machine. One that neither annotations nor the
// administrator ask anything for is left alone: it pays a process that reads and ends, and nothing
// that is wrong with the machine or with its state rejects it.
#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <sysexits.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "container.h"
#include "expect.h"
#include "kernel_bpf.h"
#include "protocol_reporter.h"
#include "seccomp_fault.h"
#include "settings_on_machine.h"

namespace jail_ai::test {
namespace {

constexpr SettingsFile kNoDefault{"allow = [\"host:11434\"]\n"};
constexpr SettingsFile kDefault{"block-host = true\n"};

HookOutcome run(const HookCall& call) {
    return Laboratory::get().hook.run(call);
}

HookCall call_of(const Container& container, SettingsFile file,
                 const std::function<void()>& then = {}) {
    HookCall call = container.call();
    call.words = {"createRuntime", "--if-asked"};
    call.before_exec = [=] {
        write_settings(file);
        if (then) then();
    };
    return call;
}

Container annotated(const char* annotations) {
    return Container(Container::Options{.annotations = annotations});
}

// What jailing takes, and confinement, and a message.
void refuse_what_costs() {
    std::vector<int> calls = {SYS_bpf,   SYS_prctl,  SYS_seccomp, SYS_capset,
                              SYS_clone, SYS_clone3, SYS_socket,  SYS_pidfd_open};
#ifdef SYS_fork
    calls.insert(calls.end(), {SYS_fork, SYS_vfork});
#endif
    refuse_calls(calls, EPERM);
}

void expect_left_alone(const HookOutcome& done) {
    CHECK(done.exit_code == 0);
    CHECK(done.signal == 0);
    CHECK(done.err == "");
    CHECK(done.log.empty());
}

constexpr const char* kUnasked[] = {"{}", R"({"a":"b","io.container.manager":"libpod"})",
                                    R"({"a":"1","a":"2"})", R"({"a":1})", "null"};

TEST_CASE("unasked: a container is left alone, by reading alone") {
    for (const char* annotations : kUnasked) {
        CAPTURE(annotations);
        const Container container = annotated(annotations);
        const HookOutcome done = run(call_of(container, kNoDefault, refuse_what_costs));
        expect_left_alone(done);
        CHECK(done.out == "");
        CHECK(names_of(attachments(container.cgroup.fd())).empty());
    }
}

TEST_CASE("unasked: whatever else is in its state") {
    const Container container = annotated("{}");
    for (const char* state : {R"({"id":"","pid":0,"annotations":{}})", "{", ""}) {
        CAPTURE(state);
        HookCall call = call_of(container, kNoDefault);
        call.state = state;
        expect_left_alone(run(call));
    }
}

TEST_CASE("unasked: also one that mentions the hook's name elsewhere") {
    for (const char* annotations :
         {R"({"a":"jail-ai.block-host"})", R"({"a":"jail","a":"jail"})", R"({"jailer":1})"}) {
        CAPTURE(annotations);
        const Container container = annotated(annotations);
        expect_left_alone(run(call_of(container, kNoDefault, [] { refuse_bpf(EPERM); })));
        CHECK(names_of(attachments(container.cgroup.fd())).empty());
    }
}

TEST_CASE("unasked: a default of false is none") {
    const Container container = annotated("{}");
    expect_left_alone(run(call_of(container, {"block-host = false\n"}, refuse_what_costs)));
}

TEST_CASE("unasked: it is jailed by a default of the settings file, or of the flags") {
    const Container by_file = annotated("{}");
    expect_jailed(run(call_of(by_file, kDefault)), by_file.cgroup);
    const Container by_flag = annotated("null");
    HookCall call = call_of(by_flag, kNoDefault);
    call.words.push_back("--block-host=true");
    expect_jailed(run(call), by_flag.cgroup);
}

TEST_CASE("unasked: a settings file that can't be relied on rejects it") {
    const Container container = annotated("{}");
    for (const SettingsFile& file :
         {SettingsFile{"block-host\n"}, SettingsFile{"", 0666}, SettingsFile{"blok-host = true\n"}})
        expect_refused(run(call_of(container, file)), EX_CONFIG,
                       "/etc/jail-ai-hook.conf: ", container.cgroup);
}

TEST_CASE("unasked: one that asks is jailed, and rejected for a near miss") {
    const Container container;
    expect_jailed(run(call_of(container, kNoDefault)), container.cgroup);
    for (const char* key : {"Jail-AI.block-host", "jail_ai.block-host", "jailai.block-host",
                            "jail-ai-block-host", "jail-ai.blok-host"}) {
        const Container misspelt = annotated((std::string("{\"") + key + "\":\"true\"}").c_str());
        expect_refused(run(call_of(misspelt, kNoDefault)), EX_DATAERR,
                       std::string("unknown annotation '") + key + "'", misspelt.cgroup);
    }
    const Container escaped = annotated(R"({"\u006aail-ai.block-host":"true"})");
    expect_jailed(run(call_of(escaped, kNoDefault)), escaped.cgroup);
}

TEST_CASE("unasked: without the option it is rejected") {
    const Container container = annotated("{}");
    expect_refused(container.run_hook(), EX_DATAERR, "no annotation jail-ai.block-host",
                   container.cgroup);
}

HookOutcome precreate(const std::string& config, SettingsFile file,
                      const std::function<void()>& then = {}) {
    const Container container = annotated("{}");
    HookCall call = call_of(container, file, then);
    call.words = {"precreate", "--if-asked"};
    call.state = config;
    return run(call);
}

TEST_CASE("unasked: precreate gives back what it gets") {
    for (const char* config : {R"({"annotations":{"a":"b"},"x":[1e300]})", R"({"a":1,"a":2})",
                               R"({"process":{"args":["a\u0000"]}})", "{}", "{"}) {
        CAPTURE(config);
        const HookOutcome done = precreate(config, kNoDefault, refuse_what_costs);
        expect_left_alone(done);
        CHECK(done.out == config);
    }
    const std::string mentioned = R"({"hostname":"jail","a":1,"a":2})";
    const HookOutcome done = precreate(mentioned, kNoDefault);
    expect_left_alone(done);
    CHECK(done.out == mentioned);
    expect_refusal(precreate(mentioned, kDefault), EX_DATAERR, "duplicate key 'a'");
    expect_refusal(precreate(R"({"annotations":{"jail_ai.x":"y"}})", kNoDefault), EX_DATAERR,
                   "unknown annotation 'jail_ai.x'");
}

TEST_CASE("what is read is not parsed by a process that can't confine itself") {
    const Container container;
    for (const char* verb : {"createRuntime", "precreate"}) {
        CAPTURE(verb);
        HookCall call = container.call();
        call.words = {verb, "--if-asked"};
        call.state = "{\"jail";
        expect_refusal(run(call), EX_DATAERR, "not JSON");
        call.before_exec = [] { refuse_calls({SYS_capset}, EPERM); };
        expect_refusal(run(call), EX_NOPERM, "confine itself");
    }
}

// Against the least that the binary does, in the same run.
TEST_CASE("unasked: a container waits for little more than the start of a process") {
    using Clock = std::chrono::steady_clock;
    const Container container = annotated("{}");
    HookCall unasked = call_of(container, kNoDefault);
    HookCall nothing = unasked;
    nothing.words = {"--version"};
    const auto least = [](const HookCall& call) {
        auto best = Clock::duration::max();
        for (int run_number = 0; run_number < 20; ++run_number) {
            const auto start = Clock::now();
            REQUIRE(run(call).exit_code == 0);
            best = std::min(best, Clock::now() - start);
        }
        return best;
    };
    CHECK(least(unasked) < 5 * least(nothing));
}

}  // namespace
}  // namespace jail_ai::test
