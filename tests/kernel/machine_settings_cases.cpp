// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The administrator's settings in /etc/jail-ai-hook.conf: they hold for containers that say
// nothing, annotations can't loosen what they enforce, also where the broker is silent, and a file
// that can't be relied on rejects every container.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <functional>

#include "broker_run.h"
#include "container.h"
#include "expect.h"
#include "files.h"
#include "kernel_bpf.h"
#include "must.h"
#include "protocol_reporter.h"
#include "settings_on_machine.h"

namespace jail_ai::test {
namespace {

HookCall call_with(const Container& container, SettingsFile file) {
    HookCall call = container.call();
    call.before_exec = [file] { write_settings(file); };
    return call;
}

HookOutcome run(const HookCall& call) {
    return Laboratory::get().hook.run(call);
}

Container annotated(const char* annotations) {
    return Container(Container::Options{.annotations = annotations});
}

constexpr SettingsFile kEnforced{"block-host = true\nenforce = true\n"};
constexpr SettingsFile kFloor{R"(
block-host = true
allow = ["host:11434"]
enforce = true
)"};

TEST_CASE("settings file: a container without annotations is jailed by it") {
    const Container container = annotated("{}");
    expect_refused(container.run_hook(), EX_DATAERR, "no annotation jail-ai.block-host",
                   container.cgroup);
    expect_jailed(run(call_with(container, {"block-host = true\n"})), container.cgroup);
}

TEST_CASE("settings file: without enforce annotations override it") {
    const Container container = annotated(R"({"jail-ai.block-host":"false"})");
    const HookOutcome done = run(call_with(container, {"block-host = true\n"}));
    CHECK(done.exit_code == 0);
    CHECK(names_of(attachments(container.cgroup.fd())).empty());
}

TEST_CASE("settings file: annotations and flags can't loosen what it enforces") {
    for (const char* annotations :
         {R"({"jail-ai.block-host":"false"})", R"({"jail-ai.block-host":"audit"})",
          R"({"jail-ai.block-host.allow":"host:80"})",
          R"({"jail-ai.block-host.accept":"cap_bpf"})"}) {
        const Container container = annotated(annotations);
        expect_refused(run(call_with(container, kEnforced)), EX_DATAERR,
                       "the annotations loosen what is enforced on this machine", container.cgroup);
    }
    const Container container = annotated("{}");
    HookCall call = call_with(container, kEnforced);
    call.words = {"createRuntime", "--allow=host:80"};
    expect_refused(run(call), EX_DATAERR,
                   "the hook's flags loosen what is enforced on this machine", container.cgroup);
    call.words = {"createRuntime", "--also=private"};
    expect_jailed(run(call), container.cgroup);
    const Container allowed = annotated(R"({"jail-ai.block-host.allow":"host:11434"})");
    expect_jailed(run(call_with(allowed, kFloor)), allowed.cgroup);
}

constexpr const char* kRuns =
    R"({"jail-ai.block-host":"true","jail-ai.block-host.on-failure":"run"})";

// The container can't be jailed by a hook that `hinder` has been called in: without the file it
// starts, as its annotations ask.
void expect_on_failure_denied(const Container& container, const std::function<void()>& hinder) {
    HookCall call = container.call();
    const auto with = [&](const SettingsFile& file) {
        call.before_exec = [=] {
            write_settings(file);
            hinder();
        };
        return run(call);
    };
    CHECK(with({"# nothing\n"}).exit_code == 0);
    expect_refused(with(kEnforced), EX_DATAERR, "let the container run unprotected",
                   container.cgroup);
}

TEST_CASE("settings file: on-failure=run doesn't start what can't be jailed where it enforces") {
    expect_on_failure_denied(annotated(kRuns), [] { refuse_bpf(EPERM); });
}

TEST_CASE("settings file: nor does a silent broker start it there") {
    const UniqueFd rootless = make_user_namespace(65534);
    if (!rootless)
        SKIP_CASE(std::string("no user namespace for user nobody: ") + error_name(errno));
    const Container container({.user_namespace = rootless.get(), .annotations = kRuns});
    expect_on_failure_denied(container,
                             [namespace_fd = rootless.get()] { become_root_of(namespace_fd); });
}

TEST_CASE("settings file: one that can't be relied on rejects every container") {
    struct Case {
        SettingsFile file;
        const char* part;
    };
    for (const Case& each : {
             Case{{"block-host = true\n", 0664}, "another user than root can write it"},
             Case{{"block-host = true\n", 0646}, "another user than root can write it"},
             Case{{"block-host = true\n", 0644, 1000}, "another user than root can write it"},
             Case{{"block-host\n"}, "not TOML: line 1"},
             Case{{"blok-host = true\n"}, "unknown setting 'blok-host'"},
         }) {
        const Container container;
        expect_refused(run(call_with(container, each.file)), EX_CONFIG, each.part,
                       container.cgroup);
    }
    const Container container;
    HookCall call = container.call();
    call.before_exec = [] {
        write_settings({""});
        must(::unlink(kSettingsPath), "remove the file");
        must(::mkdir(kSettingsPath, 0755), "make a directory");
    };
    expect_refused(run(call), EX_CONFIG, "not a regular file", container.cgroup);
    call.before_exec = [] {
        write_settings({"block-host = true\n", 0600});
        must(::setresuid(65534, 65534, 65534), "become a user who may not read it");
    };
    expect_refused(run(call), EX_NOPERM, "Permission denied", container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
