// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How "explain" is asked, and how it answers.
#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <algorithm>

#include "commands/explain_arguments.h"
#include "commands/explanation.h"
#include "some_verbs.h"

using namespace jail_ai;

namespace {

Result<Question> ask(std::vector<std::string> words) {
    const Verb explain{.name = "explain",
                       .options = kExplainOptions,
                       .takes_settings = true,
                       .words = kExplainWords,
                       .run = nullptr};
    const auto arguments = TRY(parse_arguments(explain, test::as_words(words)));
    return read_question(arguments);
}

IpPrefix prefix(std::string_view text) {
    return IpPrefix::parse(text).value();
}

Policy policy_of(Mode mode, std::string_view allow = "host:80-81") {
    const auto settings = parse_settings({{"--allow", std::string(allow)}}).value();
    const NetworkFacts host{{{prefix("198.51.100.7"), JAIL_REASON_LOCAL, "eth0"},
                             {prefix("fd00::7"), JAIL_REASON_LOCAL, "eth0"}},
                            false,
                            {},
                            {},
                            {},
                            {prefix("fd00::7")}};
    return *compile_policy({mode, Dns::automatic, OnFailure::refuse, settings.allow, {}, {}}, host);
}

Explanation about(const char* destination, Mode mode = Mode::enforce) {
    return {"process 7",
            destination == nullptr ? std::nullopt
                                   : std::optional(*parse_asked_destination(destination)),
            policy_of(mode),
            false,
            std::nullopt,
            {}};
}

}  // namespace

TEST_CASE("explain: destinations") {
    struct Case {
        const char* written;
        const char* text;
        int protocol;
    };
    for (const Case& c :
         {Case{"10.0.0.1", "10.0.0.1", 0}, Case{"10.0.0.1:53", "10.0.0.1:53/tcp", 6},
          Case{"10.0.0.1:53/udp", "10.0.0.1:53/udp", 17},
          Case{"[fd00::1]:53/tcp", "[fd00::1]:53/tcp", 6}, Case{"[fd00::1]", "fd00::1", 0},
          Case{"fd00::1", "fd00::1", 0}, Case{"::ffff:10.0.0.1", "10.0.0.1", 0}}) {
        const auto destination = parse_asked_destination(c.written);
        REQUIRE_MESSAGE(destination, c.written);
        CHECK(destination->text == c.text);
        CHECK(destination->protocol == c.protocol);
    }
    for (const char* wrong : {"", "host", "localhost:80", "10.0.0.0/8", "10.0.0.1:0",
                              "10.0.0.1:65536", "10.0.0.1:", "10.0.0.1:80/sctp", "10.0.0.1/tcp",
                              "[fd00::1", "[fd00::1]53", "fd00::1/udp"}) {
        const auto destination = parse_asked_destination(wrong);
        REQUIRE_FALSE_MESSAGE(destination, wrong);
        CHECK(destination.error().exit_code == EX_USAGE);
        CHECK(destination.error().message.find("'" + std::string(wrong) + "': ") == 0);
    }
    CHECK(parse_asked_destination("10.0.0.1:80/sctp").error().message ==
          "'10.0.0.1:80/sctp': expected /tcp or /udp, got '/sctp'");
    CHECK(parse_asked_destination("10.0.0.0/8").error().message ==
          "'10.0.0.0/8': not an IP address: explain doesn't resolve host names; a container is "
          "--container=ID");
    CHECK(parse_asked_destination("http://10.0.0.1:80/").error().message ==
          "'http://10.0.0.1:80/': a URL: expected ADDRESS[:PORT][/tcp|/udp], such as "
          "10.88.0.1:8000");
}

TEST_CASE("explain: questions") {
    const auto all = ask({"10.0.0.1:80", "--annotation", "jail-ai.block-host=true",
                          "--annotation=jail-ai.block-host.allow=host:80", "--json", "--also",
                          "private", "--pid=7"});
    REQUIRE(all);
    CHECK(all->destination->text == "10.0.0.1:80/tcp");
    CHECK(all->annotations.at("jail-ai.block-host.allow") == "host:80");
    CHECK(all->defaults.settings.also.size() == 1);
    CHECK(all->pid == 7);
    CHECK(all->json);
    CHECK(ask({"--container", "web"})->container == "web");
    CHECK_FALSE(ask({})->destination);
    struct Case {
        std::vector<std::string> words;
        const char* message;
    };
    for (const Case& c :
         {Case{{"--annotation"}, "'--annotation' needs a value"},
          Case{{"--annotation", "x"}, "expected KEY=VALUE"},
          Case{{"--annotation", "x=y"}, "doesn't begin with jail-ai."},
          Case{{"--pid", "x"}, "not a process ID"}, Case{{"--pid", "0"}, "not a process ID"},
          Case{{"--container="}, "'--container' needs a value"},
          Case{{"--pid=7", "--container=x"}, "explain takes one of --container=ID, --pid=PID"},
          Case{{"1.1.1.1", "2.2.2.2"}, "unexpected '2.2.2.2': explain takes one DESTINATION"},
          Case{{"--alow=x"}, "unknown option '--alow'"},
          Case{{"--enforce"}, "enforce needs block-host"}}) {
        const auto question = ask(c.words);
        REQUIRE_FALSE(question);
        CHECK(question.error().exit_code == EX_USAGE);
        CHECK_MESSAGE(question.error().message.find(c.message) != std::string::npos,
                      question.error().message);
    }
}

TEST_CASE("explain: what people read") {
    CHECK(explain_to_people(about("198.51.100.7")) ==
          "198.51.100.7: denied (local): 198.51.100.7: local route, eth0; allow host:80-81\n");
    CHECK(explain_to_people(about("198.51.100.7:80")) ==
          "198.51.100.7:80/tcp: allowed: a port of 198.51.100.7: local route, eth0; "
          "allow host:80-81\n");
    CHECK(explain_to_people(about("198.51.100.7:82", Mode::audit)) ==
          "198.51.100.7:82/tcp: allowed and counted (local), as audit asks: 198.51.100.7: "
          "local route, eth0; allow host:80-81\n");
    CHECK(explain_to_people(about("1.1.1.1")) == "1.1.1.1: allowed: no rule matches\n");
    CHECK(explain_to_people(about("198.51.100.7", Mode::off)) ==
          "198.51.100.7: allowed: block-host=false\n");
    CHECK(explain_to_people(about("fd00::7"))
              .find("fd00::7: allowed while the container itself has the address, otherwise "
                    "denied (local): fd00::7") == 0);
    const std::string table = explain_to_people(about(nullptr));
    CHECK(table.find("process 7, block-host=true: ") == 0);
    CHECK(table.find("\n198.51.100.7 ") != std::string::npos);
    CHECK(table.find(" 80-81/tcp ") != std::string::npos);
}

TEST_CASE("explain: a jail that is attached, and how it differs from what would be") {
    Explanation explanation = about("198.51.100.7:80");
    explanation.is_running = true;
    CHECK(explain_to_people(explanation).find("process 7 is not jailed") != std::string::npos);
    explanation.jail.emplace().cgroup = "/a";
    explanation.jail->policy = policy_of(Mode::enforce);
    CHECK(explain_to_people(explanation).find("\nattached to cgroup '/a': the same policy\n") !=
          std::string::npos);
    Rules then = policy_of(Mode::enforce, "host:82").rules;
    then.erase(prefix("10.0.2.2"));
    then.emplace(prefix("10.9.0.0/16"), Rule{});
    explanation.jail->policy->rules = then;
    explanation.differences = find_differences(then, explanation.policy.rules);
    const std::string told = explain_to_people(explanation);
    CHECK(told.find("cgroup '/a': denied (local): 198.51.100.7") != std::string::npos);
    CHECK(told.find("  + 10.0.2.2: denied (alias), allowed 80-81/tcp\n") != std::string::npos);
    CHECK(told.find("  - 10.9.0.0/16: denied (local)\n") != std::string::npos);
    CHECK(told.find("  ~ 198.51.100.7: denied (local), allowed 82/tcp, would be denied (local), "
                    "allowed 80-81/tcp\n") != std::string::npos);
    CHECK(find_differences(then, then).empty());
}

TEST_CASE("explain: a loopback of which ports lead to the host's is no container's alone") {
    constexpr std::string_view kLeads = "\nports of that loopback lead to the host's (pasta";
    const auto told = [&](const char* destination, Risk risk) {
        Explanation explanation = about(destination);
        explanation.is_running = true;
        explanation.jail.emplace().policy = explanation.policy;
        explanation.jail->metadata.emplace().risks = 1U << static_cast<unsigned>(risk);
        return explain_to_people(explanation).find(kLeads) != std::string::npos;
    };
    CHECK(told("127.0.0.1:5432", Risk::host_loopback));
    CHECK(told("[::1]:5432", Risk::host_loopback));
    CHECK_FALSE(told("127.0.0.1:5432", Risk::vsock));
    CHECK_FALSE(told("198.51.100.7:82", Risk::host_loopback));
}

TEST_CASE("explain: a rule that a wider one repeats but for its reason makes no difference") {
    const Rules rules = policy_of(Mode::enforce).rules;
    Rules more = rules;
    Rule link_local{};
    link_local.value.reason = JAIL_REASON_LOCAL;
    std::ranges::copy(rules.at(prefix("fe80::/10")).value.ports, link_local.value.ports);
    more.emplace(prefix("fe80::77"), link_local);
    CHECK(find_differences(rules, more).empty());
    CHECK(find_differences(more, rules).empty());
    more.at(prefix("fe80::77")).value.ports[0] = {80, 80, JAIL_PORTS_TCP, 0};
    CHECK(find_differences(rules, more) ==
          std::vector<std::string>{"+ fe80::77: denied (local), allowed 80/tcp"});
    CHECK(find_differences(more, rules).size() == 1);
}

TEST_CASE("explain: what machines read is JSON") {
    for (const char* destination :
         {"198.51.100.7:80", "198.51.100.7:82", "1.1.1.1", static_cast<const char*>(nullptr)}) {
        Explanation explanation = about(destination);
        explanation.is_running = true;
        explanation.jail.emplace().cgroup = "/a";
        explanation.jail->policy = policy_of(Mode::audit);
        explanation.differences = {"+ x"};
        rapidjson::Document document;
        document.Parse(explain_to_machines(explanation).c_str());
        REQUIRE_FALSE(document.HasParseError());
        CHECK(document["mode"] == "true");
        CHECK(document["jail"]["mode"] == "audit");
        CHECK(document["jail"]["differences"].Size() == 1);
        CHECK(document.HasMember(destination == nullptr ? "rules" : "verdict"));
    }
    Explanation named = about("1.1.1.1");
    named.id = "0123456789abcdef";
    CHECK(explain_to_machines(named).starts_with(R"({"container":"0123456789abcdef",)"));
    rapidjson::Document blocked;
    blocked.Parse(explain_to_machines(about("198.51.100.7:82")).c_str());
    CHECK(blocked["verdict"] == "denied");
    CHECK(blocked["reason"] == "local");
    CHECK(blocked["rule"]["prefix"] == "198.51.100.7");
    CHECK(blocked["rule"]["ports"][0] == "80-81/tcp");
}
