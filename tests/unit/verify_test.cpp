// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What verify makes of containers and jails: one thing wrong at a time, and how it is told.
#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "container/request.h"
#include "jail/program_table.h"
#include "policy/risks.h"
#include "verify/facts.h"
#include "verify/holes.h"

using namespace jail_ai;

namespace {

constexpr const char* kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
constexpr std::uint64_t kCgroup = 7;

JailSnapshot jail_of(Guard guard) {
    JailSnapshot jail;
    jail.cgroup_id = kCgroup;
    jail.cgroup = "/machine.slice/libpod-1.scope";
    jail.metadata.emplace();
    jail.metadata->mode = Mode::enforce;
    jail.metadata->guard = guard;
    jail.metadata->container = kId;
    std::uint32_t id = 100;
    for (const ProgramSlot& slot : kProgramTable)
        jail.programs.push_back({slot.name,
                                 ++id,
                                 BPF_F_ALLOW_MULTI,
                                 {{"jail_rules", 1}, {"jail_peers", 2}, {"jail_denials", 3}}});
    if (guard == Guard::lsm)
        for (const ProgramSlot& slot : kGuardTable)
            jail.programs.push_back({slot.name, ++id, BPF_F_ALLOW_MULTI, {{"jail_denials", 3}}});
    if (guard == Guard::unix_hooks)
        for (const ProgramSlot& slot : kUnixTable)
            jail.programs.push_back({slot.name, ++id, BPF_F_ALLOW_MULTI, {{"jail_denials", 3}}});
    return jail;
}

VerifyFacts good(Guard guard = Guard::lsm) {
    VerifyFacts facts;
    facts.containers.push_back(
        {{kId, "", "crun", 0, 42}, RequestedMode::enforce, "", {9, kCgroup, 5}});
    facts.jails.push_back(jail_of(guard));
    return facts;
}

std::string found_in(const VerifyFacts& facts) {
    std::string kinds;
    for (const Finding& each : check_containers(facts)) {
        CHECK_FALSE(each.what.empty());
        CHECK_FALSE(each.remedy.empty());
        CHECK(each.what.find('\n') == std::string::npos);
        kinds += std::string(name_of(each.kind)) + (each.about == kId ? "; " : "?; ");
    }
    return kinds;
}

void drop(JailSnapshot& jail, std::string_view name) {
    std::erase_if(jail.programs, [&](const JailProgram& program) { return program.name == name; });
}

}  // namespace

TEST_CASE("verify: all is well") {
    for (const Guard guard : {Guard::none, Guard::unix_hooks, Guard::lsm})
        CHECK(found_in(good(guard)) == "");
    CHECK(check_containers({}).empty());
}

TEST_CASE("verify: one thing is wrong") {
    struct Row {
        const char* found;
        std::function<void(SeenContainer&, JailSnapshot&)> spoil;
    };
    const Row rows[] = {
        {"not-jailed; ",
         [](auto& container, auto&) {
             container.cgroups = {9, 5};
         }},
        {"not-jailed; ",
         [](auto& container, auto&) {
             container.cgroups = {9, 5};
             container.asks = RequestedMode::audit;
         }},
        {"not-jailed; ",
         [](auto& container, auto&) {
             container.cgroups = {9, 5};
             container.asks = RequestedMode::unclear;
         }},
        {"",
         [](auto& container, auto&) {
             container.cgroups = {9, 5};
             container.asks = RequestedMode::nothing;
         }},
        {"",
         [](auto& container, auto&) {
             container.cgroups = {9, 5};
             container.asks = RequestedMode::off;
         }},
        {"unreadable; ",
         [](auto& container, auto&) {
             container.cgroups = {9, 5};
             container.unread = "open '/b/config.json': no";
         }},
        {"",
         [](auto& container, auto&) {
             container.unread = "open '/b/config.json': no";
         }},  // it has what it may ask for
        {"other-mode; ", [](auto&, auto& jail) { jail.metadata->mode = Mode::audit; }},
        {"other-mode; ", [](auto& container, auto&) { container.asks = RequestedMode::audit; }},
        {"",
         [](auto& container, auto&) {
             container.asks = RequestedMode::off;
         }},  // the administrator may jail what asks for nothing
        {"", [](auto& container, auto&) { container.asks = RequestedMode::unclear; }},
        {"program-missing; ", [](auto&, auto& jail) { drop(jail, "jail_connect4"); }},
        {"program-missing; ", [](auto&, auto& jail) { drop(jail, "jail_ingress"); }},
        {"program-missing; ", [](auto&, auto& jail) { drop(jail, "jail_bpf"); }},
        {"program-missing; ",
         [](auto&, auto& jail) {
             for (const ProgramSlot& slot : kGuardTable) drop(jail, slot.name);
         }},
        {"program-missing; ",
         [](auto&, auto& jail) {
             jail.metadata.reset();  // one that is known by those in it
             drop(jail, "jail_connect4");
             drop(jail, "jail_socket");
         }},
        {"program-twice; ",
         [](auto&, auto& jail) { jail.programs.push_back(jail.programs.front()); }},
        {"maps-not-shared; ", [](auto&, auto& jail) { jail.programs[2].maps["jail_rules"] = 99; }},
        {"maps-not-shared; ",
         [](auto&, auto& jail) { jail.programs.back().maps["jail_denials"] = 99; }},
        {"maps-not-shared; ",
         [](auto&, auto& jail) {
             jail.programs[3].maps = {{"other", 5}};
         }},
        {"attach-flags; ", [](auto&, auto& jail) { jail.programs[1].attach_flags = 0; }},
        {"attach-flags; ",
         [](auto&, auto& jail) { jail.programs[1].attach_flags = BPF_F_ALLOW_OVERRIDE; }},
        {"overridden; ",
         [](auto&, auto& jail) {
             jail.overriders.push_back({"other", 5, "jail_connect4"});
         }},
    };
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        INFO("row ", i);
        VerifyFacts facts = good();
        rows[i].spoil(facts.containers.front(), facts.jails.front());
        CHECK(found_in(facts) == rows[i].found);
    }
}

TEST_CASE("verify: a jail that was not proved to act") {
    VerifyFacts facts = good();
    facts.failed_proofs.push_back({kCgroup, true, "why"});
    CHECK(found_in(facts) == "not-acting; ");
    facts.failed_proofs.front().acts_not = false;
    CHECK(found_in(facts) == "unreadable; ");
    facts.failed_proofs.front().cgroup_id = kCgroup + 1;
    CHECK(found_in(facts) == "");
}

TEST_CASE("verify: of two jails the one that enforces counts") {
    VerifyFacts facts = good();
    facts.jails.push_back(jail_of(Guard::lsm));
    facts.jails.back().cgroup_id = 5;
    facts.jails.front().metadata->mode = Mode::audit;
    CHECK(found_in(facts) == "");
    facts.containers.front().asks = RequestedMode::audit;
    CHECK(found_in(facts) == "other-mode; ");
}

TEST_CASE("verify: it reports what could not be read") {
    VerifyFacts facts = good();
    facts.overlooked.push_back({"/run/user/1500/crun", 1500, "why", false});
    CHECK(found_in(facts) == "unreadable?; ");
    CHECK(std::ranges::any_of(check_containers(facts), is_failure));
}

TEST_CASE("verify: what a user has put among the states is no failure, unless it could hide one") {
    VerifyFacts facts = good();
    facts.overlooked.push_back({"/run/user/1500/crun", 1500, "why", true});
    CHECK(found_in(facts) == "user-state?; ");
    CHECK(std::ranges::none_of(check_containers(facts), is_failure));
    facts.unknown_processes = {{1501, 7}};
    CHECK(found_in(facts) == "user-state?; ");
    facts.unknown_processes = {{1500, 1}, {1500, 2}, {1500, 3}, {1500, 4}, {1500, 5}};
    CHECK(found_in(facts) == "unreadable?; ");
    const Findings found = check_containers(facts);
    CHECK(std::ranges::any_of(found, is_failure));
    CHECK(found.front().what.find("processes 1, 2, 3, 4 and 1 more ") != std::string::npos);
}

TEST_CASE("verify: a jail of another version, whose rules no refresh follows") {
    VerifyFacts facts = good();
    facts.jails.front().metadata.reset();
    CHECK(found_in(facts) == "other-version; ");
    CHECK(is_failure(check_containers(facts).front()));
}

TEST_CASE("verify: a jail without a known container") {
    VerifyFacts facts;
    facts.jails.push_back(jail_of(Guard::none));
    facts.jails.front().metadata.reset();
    drop(facts.jails.front(), "jail_egress");
    CHECK(found_in(facts) == "program-missing?; other-version?; ");
}

TEST_CASE("verify: for people") {
    VerifyFacts facts = good();
    CHECK(verification_to_people(facts, check_containers(facts)) ==
          "containers that must be jailed: 1; jailed: 1\n");
    facts.jails.clear();
    facts.containers.push_back({{"b", "", "runc", 1500, 43}, RequestedMode::nothing, "", {}});
    CHECK(verification_to_people(facts, check_containers(facts)) ==
          "0123456789ab: not jailed: its annotations or the settings file ask for it: restart it, "
          "or run jail-ai-hook attach --container 0123456789ab\n"
          "containers that must be jailed: 1; jailed: 0\n");
    facts.containers = {
        {{kId, "", "crun", 1500, 43}, RequestedMode::audit, "", {}}};  // whose ID may be another's
    CHECK(verification_to_people(facts, check_containers(facts)) ==
          "0123456789ab: not jailed (run by uid 1500, process 43): its annotations or the settings "
          "file ask for it: ask uid 1500 to restart it, or run jail-ai-hook attach --pid 43\n"
          "containers that must be jailed: 1; jailed: 0\n");
    facts.containers.front().bundle = "/run/containerd/io.containerd.runtime.v2.task/moby/1";
    CHECK(verification_to_people(facts, check_containers(facts))
              .find("ask uid 1500 to create it again with --runtime=jail-ai, or run") !=
          std::string::npos);
    facts.containers.front().bundle.clear();
    facts.containers.front().name = "web";
    CHECK(verification_to_people(facts, check_containers(facts))
              .starts_with("0123456789ab (web): not jailed"));
    facts.containers.push_back({{kId, "", "crun", 0, 44}, RequestedMode::nothing, "", {}});
    CHECK(verification_to_people(facts, check_containers(facts))
              .starts_with("0123456789ab: not jailed"));
    facts = good();
    constexpr std::string_view kEvil = "a\x1b[2J";
    facts.jails.front().metadata->container = kEvil;
    drop(facts.jails.front(), "jail_egress");
    CHECK(verification_to_people(facts, check_containers(facts))
              .starts_with("'a\\x1b[2J': programs missing on cgroup"));
}

TEST_CASE("verify: for machines") {
    VerifyFacts facts = good();
    facts.jails.front().cgroup = "/a\"\n\xff";
    drop(facts.jails.front(), "jail_egress");
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(
        verification_to_machines(facts, check_containers(facts)).c_str());
    REQUIRE_FALSE(document.HasParseError());
    const auto& container = document["containers"][0];
    CHECK(std::string_view(container["container"].GetString()) == kId);
    CHECK(std::string_view(container["runtime"].GetString()) == "crun");
    CHECK(container["owner"].GetUint64() == 0);
    CHECK(container["pid"].GetUint64() == 42);
    CHECK(std::string_view(container["asks"].GetString()) == "enforce");
    CHECK(container["jailed"].GetBool());
    const auto& finding = document["findings"][0];
    CHECK(std::string_view(finding["container"].GetString()) == kId);
    CHECK(std::string_view(finding["kind"].GetString()) == "program-missing");
    CHECK(std::string_view(finding["what"].GetString()).ends_with("jail_egress"));
    CHECK(std::string_view(finding["remedy"].GetString()) ==
          "restart it, or run jail-ai-hook attach --container 0123456789ab");
    CHECK(document["route_localnet"].Empty());
}

TEST_CASE(
    "verify: a host that lets its loopback be reached is reported if a container isn't jailed") {
    VerifyFacts facts = good();
    facts.route_localnet = {"all", "podman0"};
    CHECK(verification_to_people(facts, {}) == "containers that must be jailed: 1; jailed: 1\n");
    facts.containers.push_back({{.id = "free"}});
    CHECK(verification_to_people(facts, {}) ==
          "all, podman0: route_localnet=1: containers that aren't jailed reach 127.0.0.1 of the "
          "host by it: "
          "jail them; or sysctl net.ipv4.conf.INTERFACE.route_localnet=0, where no published port "
          "needs it\n"
          "containers that must be jailed: 1; jailed: 1\n");
    CHECK(verification_to_machines(facts, {}).ends_with(R"("route_localnet":["all","podman0"]})"
                                                        "\n"));
}

TEST_CASE("verify: what annotations ask for") {
    const auto asks = [](const Annotations& annotations) {
        return requested_mode(annotations, {});
    };
    CHECK(asks({}) == RequestedMode::nothing);
    CHECK(asks({{"other", "true"}}) == RequestedMode::nothing);
    CHECK(asks({{"jail-ai.block-host", "true"}}) == RequestedMode::enforce);
    CHECK(asks({{"jail-ai.block-host", "audit"}, {"jail-ai.block-host.allow", "host:80"}}) ==
          RequestedMode::audit);
    CHECK(asks({{"jail-ai.block-host", "false"}}) == RequestedMode::off);
    CHECK(asks({{"jail-ai.block-host", "True"}}) == RequestedMode::unclear);
    CHECK(asks({{"jail-ai.blok-host", "true"}}) == RequestedMode::unclear);
    CHECK(asks({{"jail-ai.block-host.allow", "host:80"}}) == RequestedMode::unclear);
}

TEST_CASE("verify: which rules that have fallen behind leave something open") {
    const auto rules = [](std::initializer_list<std::pair<const char*, jail_rule>> list) {
        Rules all;
        for (const auto& [prefix, value] : list)
            all.emplace(IpPrefix::parse(prefix).value(), Rule{value, ""});
        return all;
    };
    const jail_rule block{JAIL_REASON_LOCAL, 0, {}, {}};
    const jail_rule link_local{JAIL_REASON_LINK_LOCAL, 0, {}, {}};
    const jail_rule open{
        JAIL_REASON_LOCAL, 0, {}, {{0, 65535, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0}}};
    const jail_rule web{JAIL_REASON_LOCAL, 0, {}, {{80, 443, JAIL_PORTS_TCP, 0}}};
    const jail_rule plain{JAIL_REASON_LOCAL, 0, {}, {{80, 80, JAIL_PORTS_TCP, 0}}};
    struct Row {
        Rules now, then;
        const char* hole;
    };
    const Row rows[] = {
        {rules({{"10.0.0.1", block}}), rules({{"10.0.0.1", block}}), ""},
        {rules({}), rules({{"10.0.0.1", block}}), "10.0.0.1"},
        {rules({{"10.0.0.1", block}}), rules({}), ""},
        {rules({{"10.0.0.1", open}}), rules({{"10.0.0.1", block}}), "10.0.0.1"},
        {rules({{"10.0.0.0/8", block}}), rules({{"10.0.0.0/8", block}, {"10.0.0.1", block}}), ""},
        {rules({{"fe80::/10", link_local}}), rules({{"fe80::/10", link_local}, {"fe80::1", block}}),
         ""},
        {rules({{"10.0.0.0/8", block}, {"10.0.0.1", open}}), rules({{"10.0.0.0/8", block}}),
         "10.0.0.1"},
        {rules({{"10.0.0.0/8", web}}), rules({{"10.0.0.0/8", web}, {"10.0.0.1", block}}),
         "10.0.0.1"},
        {rules({{"10.0.0.1", web}}), rules({{"10.0.0.1", plain}}), "10.0.0.1"},
        {rules({{"10.0.0.1", plain}}), rules({{"10.0.0.1", web}}), ""},
        {rules({{"10.0.0.1", plain}}), rules({{"10.0.0.1", block}}), "10.0.0.1"},
        {rules({{"0.0.0.0/0", block}}), rules({{"0.0.0.0/0", block}, {"10.0.0.1", block}}), ""},
    };
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        INFO("row ", i);
        const auto holes = find_holes(rows[i].now, rows[i].then);
        CHECK((holes.empty() ? "" : holes.front().to_string()) == rows[i].hole);
        CHECK(holes.size() <= 1);
    }
}
