// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What doctor makes of a machine: one fact wrong at a time, and how it is shown.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "container/json.h"
#include "doctor/facts.h"

namespace jail_ai {
namespace {

// A machine on which nothing is wrong, for root.
MachineFacts good_machine() {
    MachineFacts facts;
    facts.release = "6.12.1-amd64";
    facts.is_root = true;
    facts.cgroup_mount = "/sys/fs/cgroup";
    facts.jit = 1;
    facts.unprivileged_bpf = 2;
    facts.has_guard = true;
    facts.hooks_dirs = {"/usr/share/containers/oci/hooks.d"};
    facts.hooks = {
        {"/h/a.json",
         "",
         "/x/jail-ai-hook",
         "",
         {"createRuntime"},
         true,
         "createRuntime",
         CalledFor::all,
         false,
         {"--if-asked"}},
        {"/p/b.json", "", "/x/jail-ai-hook", "", {"precreate"}, true, "precreate", CalledFor::all}};
    facts.programs = {{"podman", "podman version 5.4.2"}, {"runc", "runc version 1.1.5"}};
    facts.name_servers = {"192.0.2.53"};
    facts.addresses = {"192.0.2.1"};
    return facts;
}

MachineFacts good_for_a_user() {
    MachineFacts facts = good_machine();
    facts.is_root = false;
    facts.has_user_session = true;
    facts.broker = Broker::listens;
    return facts;
}

std::string what_is_wrong(const MachineFacts& facts) {
    std::string wrong;
    for (const Finding& finding : check_machine(facts)) {
        CHECK_MESSAGE((finding.kind == FindingKind::ok) == finding.remedy.empty(),
                      finding.what);  // a remedy for what is wrong, and only for that
        if (finding.kind != FindingKind::ok)
            wrong += (finding.kind == FindingKind::problem ? "problem " : "warning ") +
                     finding.about + "; ";
    }
    return wrong;
}

struct Row {
    std::function<void(MachineFacts&)> spoil;
    const char* wrong;
};

TEST_CASE("nothing is wrong") {
    CHECK(what_is_wrong(good_machine()) == "");
    CHECK(what_is_wrong(good_for_a_user()) == "");
    CHECK(block_works(check_machine(good_machine())));
}

DockerSettings docker_of(const char* json) {
    const auto settings = parse_docker_settings(json);
    REQUIRE(settings);
    return *settings;
}

TEST_CASE("Docker: a runtime that calls the hook, or none") {
    CHECK(docker_of("{}").runtimes.empty());
    CHECK(docker_of(R"({"runtimes":{"x":{"path":"/usr/bin/runsc"},"y":{}}})").runtimes.empty());
    const auto named = docker_of(
        R"({"runtimes":{"x":{"path":"/usr/bin/runsc"},"jail-ai":{"path":"/usr/bin/jail-ai-runc"}}})");
    CHECK(named.runtimes == std::vector<std::string>{"jail-ai"});
    CHECK_FALSE(named.by_default);
    CHECK(docker_of(R"({"default-runtime":"j","runtimes":{"j":{"path":"/usr/bin/jail-ai-hook"}}})")
              .by_default);
    CHECK_FALSE(docker_of(R"({"default-runtime":"runc","runtimes":{"j":{"path":"jail-ai-crun"}}})")
                    .by_default);
    for (const char* bad : {"", "[]", R"({"runtimes":[]})", R"({"runtimes":{"j":"x"}})"})
        CHECK_FALSE(parse_docker_settings(bad));
}

TEST_CASE("Docker: what starts without the jail is said") {
    MachineFacts facts = good_machine();
    facts.programs = {{"dockerd", "Docker version 26.1.5"}, {"runc", "runc version 1.1.5"}};
    facts.docker.emplace().file = "/etc/docker/daemon.json";
    CHECK(what_is_wrong(facts) == "warning docker; ");
    CHECK(block_works(check_machine(facts)));
    facts.docker->settings.runtimes = {"jail-ai"};
    CHECK(what_is_wrong(facts) == "");
    facts.settings.settings.mode = Mode::enforce;
    CHECK(what_is_wrong(facts) == "warning docker; ");
    facts.docker->settings.by_default = true;
    CHECK(what_is_wrong(facts) == "");
    facts.docker->error = "not JSON";
    CHECK(what_is_wrong(facts) == "warning docker; ");
}

TEST_CASE("one thing is wrong for root") {
    const Row rows[] = {
        {[](auto& facts) { facts.release = "5.9.16"; }, "problem kernel; "},
        {[](auto& facts) { facts.release = "4.19.0-1"; }, "problem kernel; "},
        {[](auto& facts) { facts.release = "nonsense"; }, "problem kernel; "},
        {[](auto& facts) { facts.release = "5.10.0"; }, ""},
        {[](auto& facts) {
             facts.cgroup_failure = Error{EX_UNAVAILABLE, "no cgroup2 file system is mounted"};
         },
         "problem cgroup; "},
        {[](auto& facts) {
             facts.cgroup_failure = Error{EX_CONFIG, "outside of the namespace"};
         },
         "problem cgroup; "},
        {[](auto& facts) { facts.cgroup_mount = "/sys/fs/cgroup/unified"; }, "warning cgroup; "},
        {[](auto& facts) { facts.load_failure = "load BPF programs: Operation not permitted"; },
         "problem bpf; "},
        {[](auto& facts) { facts.broker = Broker::deserted; }, "warning broker; "},
        {[](auto& facts) {
             facts.unread_drop_ins = {"/etc/x@.service.d", "/run/x@.service.d"};
         },
         "warning broker; warning broker; "},
        {[](auto& facts) { facts.jit = 0; }, "warning jit; "},
        {[](auto& facts) { facts.jit.reset(); }, ""},
        {[](auto& facts) { facts.unprivileged_bpf = 0; }, "warning sysctl; "},
        {[](auto& facts) { facts.has_guard = false; }, "warning guard; "},
        {[](auto& facts) { facts.hooks[0].trouble = "missing"; }, "problem hooks; problem hooks; "},
        {[](auto& facts) { facts.hooks[0].trouble = "not executable"; },
         "problem hooks; problem hooks; "},
        {[](auto& facts) { facts.hooks[0].is_hidden = true; }, "problem hooks; "},
        {[](auto& facts) {
             facts.has_guard = false;
             facts.hooks[0].is_hidden = facts.hooks[1].is_hidden = true;
         },
         "warning guard; problem hooks; problem hooks; "},
        {[](auto& facts) { facts.hooks[1].is_hidden = true; }, "problem hooks; "},
        {[](auto& facts) {
             facts.hooks.push_back(
                 {"/h/c.json", "", "/x/other", "", {"prestart"}, false, "", CalledFor::none, true});
         },
         ""},
        {[](auto& facts) {
             facts.hooks.push_back(
                 {"/h/c.json", "not JSON", "", "", {}, false, "", CalledFor::all_that_ask});
         },
         "problem hooks; "},
        {[](auto& facts) { facts.hooks.erase(facts.hooks.begin()); }, "problem hooks; "},
        {[](auto& facts) { facts.hooks.pop_back(); }, ""},
        {[](auto& facts) {
             facts.hooks.push_back({"/h/c.json",
                                    "",
                                    "/x/other",
                                    "missing",
                                    {"prestart"},
                                    false,
                                    "",
                                    CalledFor::none});
         },
         ""},
        {[](auto& facts) {
             facts.left_out = {{"/own/hooks.d", "/etc/containers/containers.conf", "/c/50.conf"}};
         },
         "warning hooks; "},
        {[](auto& facts) { facts.shared_hooks = {facts.hooks[1]}; }, "problem precreate; "},
        {[](auto& facts) { facts.programs.clear(); }, "warning engine; "},
        {[](auto& facts) {
             facts.programs.push_back({"crun", "crun version 1.8.1"});
         },
         "warning restore; "},
        {[](auto& facts) { facts.vsock_known = false; }, "warning vsock; "},
        {[](auto& facts) { facts.vsock_ports = {2222}; }, ""},
        {[](auto& facts) { facts.name_servers.clear(); }, "warning resolver; "},
        {[](auto& facts) { facts.address_failure = "rtnetlink socket: x"; }, "problem addresses; "},
        {[](auto& facts) { facts.addresses.clear(); }, ""},
        {[](auto& facts) { facts.route_localnet = {"podman0"}; }, "warning loopback; "},
        {[](auto& facts) { facts.hooks[0].called_for = CalledFor::none; },
         "problem hooks; problem hooks; "},
        {[](auto& facts) { facts.hooks[0].called_for = CalledFor::some; }, "warning hooks; "},
        {[](auto& facts) { facts.hooks[0].called_for = CalledFor::known_words; },
         "warning hooks; "},
        {[](auto& facts) { facts.hooks[0].called_for = CalledFor::unknown; }, "warning hooks; "},
        {[](auto& facts) { facts.hooks[1].called_for = CalledFor::none; }, "problem hooks; "},
        {[](auto& facts) { facts.hooks[0].called_for = CalledFor::all_that_ask; }, ""},
        {[](auto& facts) { facts.hooks[0].flags.clear(); }, "warning hooks; "},
        {[](auto& facts) { facts.hooks[0].flags = {"--block-host=true"}; }, ""},
        {[](auto& facts) {
             facts.hooks[0].flags.clear();
             facts.settings.settings.mode = Mode::enforce;
         },
         ""},
        {[](auto& facts) {
             facts.hooks[1].called_for = CalledFor::all_that_ask;
             facts.settings.settings.mode = Mode::audit;
         },
         "problem hooks; "},
        {[](auto& facts) {
             facts.hooks[1].called_for = CalledFor::all_that_ask;
             facts.settings.settings.mode = Mode::off;
         },
         ""},
        {[](auto& facts) { facts.hooks[0].verb = ""; }, "problem hooks; problem hooks; "},
        {[](auto& facts) { facts.hooks[0].stages = {"prestart"}; }, ""},
        {[](auto& facts) { facts.hooks[0].stages = {"poststart"}; },
         "problem hooks; problem hooks; "},
        {[](auto& facts) { facts.hooks[0].verb = "precreate"; }, "problem hooks; problem hooks; "},
        {[](auto& facts) {
             facts.others_programs = {{"socklb", "/", false}};
         },
         "warning others; "},
        {[](auto& facts) {
             facts.others_programs = {{"alone", "/x.slice", true}};
         },
         "warning others; "},
        {[](auto& facts) {
             facts.others_programs = {{"alone", "/", true}};
         },
         "problem others; "},
        {[](auto& facts) { facts.others_failure = "ask the kernel: no"; }, "warning others; "},
        {[](auto& facts) { facts.trial_failure = "make cgroup: no"; }, "warning trial; "},
        {[](auto& facts) {
             facts.trial_failure = "the block does not act";
             facts.acts_not = true;
         },
         "problem trial; "},
        {[](auto& facts) { facts.asking = facts.having = 2; }, ""},
        {[](auto& facts) {
             facts.asking = 2;
             facts.having = facts.discrepancies = 1;
         },
         "warning containers; "},
    };
    for (const Row& row : rows) {
        MachineFacts facts = good_machine();
        row.spoil(facts);
        CHECK(what_is_wrong(facts) == row.wrong);
        CHECK(block_works(check_machine(facts)) ==
              (std::string_view(row.wrong).find("problem") == std::string_view::npos));
    }
}

TEST_CASE("a cgroup that is not in sight asks for no boot") {
    MachineFacts facts = good_machine();
    const auto boots = [&](int exit_code) {
        facts.cgroup_failure = Error{exit_code, "why"};
        const std::string text = render_text(check_machine(facts), false);
        return text.find("boot with") != std::string::npos;
    };
    CHECK(boots(EX_UNAVAILABLE));
    CHECK_FALSE(boots(EX_CONFIG));
}

TEST_CASE("without the guard more is wrong") {
    MachineFacts facts = good_machine();
    facts.has_guard = false;
    facts.hooks.pop_back();
    facts.vsock_ports = {2222};
    CHECK(what_is_wrong(facts) == "warning guard; warning precreate; warning vsock; ");
}

TEST_CASE("one thing is wrong for an ordinary user") {
    const Row rows[] = {
        {[](auto& facts) { facts.broker = Broker::not_there; }, "problem broker; "},
        {[](auto& facts) { facts.broker = Broker::deserted; }, "problem broker; "},
        {[](auto& facts) { facts.has_user_session = false; }, "warning session; "},
        {[](auto& facts) { facts.in_user_namespace = true; }, "problem bpf; "},
        {[](auto& facts) { facts.load_failure = "not tried"; }, ""},
    };
    for (const Row& row : rows) {
        MachineFacts facts = good_for_a_user();
        row.spoil(facts);
        CHECK(what_is_wrong(facts) == row.wrong);
    }
}

TEST_CASE("a podman that gives containers what their image has is named") {
    const auto is_named = [](const char* name, const char* version) {
        MachineFacts facts;
        facts.programs = {{name, version}};
        return std::ranges::any_of(check_machine(facts), [](const Finding& each) {
            return each.about == "images" && each.kind == FindingKind::ok;
        });
    };
    for (const char* version : {"podman version 4.3.1", "podman version 3.4.4",
                                "podman version 4.5.0", "podman version 4.4.4-rhel"})
        CHECK_MESSAGE(is_named("podman", version), version);
    for (const char* version :
         {"podman version 4.5.1", "podman version 4.9.3", "podman version 5.4.2",
          "podman version 10.0.0", "it has no version"})
        CHECK_MESSAGE(!is_named("podman", version), version);
    CHECK_FALSE(is_named("crun", "podman version 4.3.1"));
}

TEST_CASE("as text") {
    const Findings findings = {{FindingKind::ok, "kernel", "Linux 6.1", ""},
                               {FindingKind::warning, "jit", "slow\033[0m", "sysctl x=1"}};
    CHECK(render_text(findings, false) ==
          "ok      kernel     Linux 6.1\n"
          "warning jit        slow?[0m\n"
          "                   do: sysctl x=1\n"
          "the block works here\n");
    CHECK(render_text({{FindingKind::problem, "bpf", "no", "yes"}}, true) ==
          "\033[31mproblem \033[0mbpf        no\n"
          "                   do: yes\n"
          "the block does not work here\n");
}

TEST_CASE("a screen holds the machine on which nothing is wrong") {
    const std::string text = render_text(check_machine(good_machine()), false);
    CHECK(std::ranges::count(text, '\n') <= 24);
}

TEST_CASE("as JSON") {
    const std::string text =
        render_json({{FindingKind::problem, "hooks", "a \"b\"\n\xff \xc3\xa9 \xe2\x82", "x"},
                     {FindingKind::ok, "bpf", "y", ""}});
    CHECK(text ==
          "{\"works\":false,\"findings\":[{\"grade\":\"problem\",\"topic\":\"hooks\",\"what\":\"a "
          "\\\"b\\\"\\n\xef\xbf\xbd \xc3\xa9 "
          "\xef\xbf\xbd\xef\xbf\xbd\",\"remedy\":\"x\"},{\"grade\":\"ok\",\"topic\":\"bpf\","
          "\"what\":\"y\",\"remedy\":\"\"}]}\n");
    CHECK(parse_json_object(text));
}

}  // namespace
}  // namespace jail_ai
