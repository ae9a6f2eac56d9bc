// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What annotations and flags ask for, how they are joined, and what is refused rather than ignored.
#include "container/settings.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "bpf/abi.h"
#include "request_of.h"

using namespace jail_ai;

namespace {

std::string message_of(const Annotations& annotations) {
    const auto request = request_of(annotations);
    if (request) return "no error";
    CHECK(request.error().exit_code == EX_DATAERR);
    return request.error().message;
}

std::string allow_message(const std::string& value) {
    return message_of({{"jail-ai.block-host", "true"}, {"jail-ai.block-host.allow", value}});
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Settings settings(std::vector<RawSetting> written) {
    return parse_settings(written).value();
}

std::string join_message(const Defaults& defaults, std::vector<RawSetting> asked) {
    const auto request = join_settings(defaults, settings(std::move(asked)));
    return request ? "no error" : request.error().message;
}

}  // namespace

TEST_CASE("request: each mode, and what is assumed") {
    CHECK(request_of({{"jail-ai.block-host", "true"}})->mode == Mode::enforce);
    CHECK(request_of({{"jail-ai.block-host", "audit"}})->mode == Mode::audit);
    CHECK(request_of({{"jail-ai.block-host", "false"}, {"other", "x"}})->mode == Mode::off);
    const auto request = request_of({{"jail-ai.block-host", "true"}});
    CHECK(request->dns == Dns::automatic);
    CHECK(request->on_failure == OnFailure::refuse);
    CHECK(request->denial_error == DenialError::eperm);
    CHECK(request->notice == Notice::given);
    CHECK(request->allow.empty());
    CHECK(request->also.empty());
    CHECK(request->accepted.empty());
}

TEST_CASE("request: what a denied call fails with is one of three") {
    const auto error = [](const char* value) {
        return request_of({{"jail-ai.block-host", "true"}, {"jail-ai.block-host.errno", value}});
    };
    CHECK(errno_of(error("EPERM")->denial_error) == EPERM);
    CHECK(errno_of(error("ECONNREFUSED")->denial_error) == ECONNREFUSED);
    CHECK(errno_of(error("EHOSTUNREACH")->denial_error) == EHOSTUNREACH);
    CHECK(error("ETIMEDOUT").error().message ==
          "jail-ai.block-host.errno: 'ETIMEDOUT': expected one of EPERM, ECONNREFUSED, "
          "EHOSTUNREACH");
}

TEST_CASE("request: anything else under the prefix is rejected with its name") {
    CHECK(holds(message_of({}), "no annotation jail-ai.block-host"));
    CHECK(holds(message_of({{"jail-ai", "true"}, {"jail-bi.block-host", "true"}}),
                "no annotation jail-ai.block-host"));
    CHECK(message_of({{"jail-ai.block-host", "True"}}) ==
          "jail-ai.block-host: 'True': expected one of true, audit, false");
    CHECK(holds(message_of({{"jail-ai.block-host", "1"}}), "'1': expected one of"));
    CHECK(holds(message_of({{"jail-ai.block-host", ""}}), "'': expected one of"));
    CHECK(holds(message_of({{"jail-ai.block-host", "true\n"}}), "'true\\x0a': expected one of"));
    for (const char* key : {"jail-ai.blok-host", "jail-ai.block-hosts", "jail-ai.block-host.",
                            "jail-ai.", "jail-ai.block-host/c1", "jail-ai.block-host.allwo",
                            "jail-ai.block-host.block-host", "jail-ai.allow", "jail-ai.--allow"})
        CHECK_MESSAGE(holds(message_of({{"jail-ai.block-host", "true"}, {key, "true"}}),
                            std::string("unknown annotation '") + key + "'"),
                      key);
    CHECK(holds(message_of({{"jail-ai.block-host.alow", "host:80"}}),
                "'jail-ai.block-host.alow': expected jail-ai.block-host, or "
                "jail-ai.block-host.NAME with NAME one of allow, also, "));
    CHECK(holds(message_of({{"jail-ai.block-host.accept", "cap_net_admin"}}),
                "no annotation jail-ai.block-host"));
    CHECK(message_of({{"jail-ai.block-host", "true"}, {"jail-ai.block-host.dns", "on"}}) ==
          "jail-ai.block-host.dns: 'on': expected one of auto, off");
    CHECK(holds(
        message_of({{"jail-ai.block-host", "true"}, {"jail-ai.block-host.on-failure", "ignore"}}),
        "'ignore': expected one of refuse, run"));
    CHECK(message_of({{"jail-ai.block-host", "true"}, {"jail-ai.block-host.accept", " , "}}) ==
          "jail-ai.block-host.accept: empty list");
    CHECK(holds(message_of({{"jail-ai.block-host", "true"},
                            {"jail-ai.block-host.accept", "cap_net_admin;cap_bpf"}}),
                "'cap_net_admin;cap_bpf': expected one of cap_net_admin"));
}

TEST_CASE("request: exceptions name a destination, ports and a protocol") {
    const auto request = request_of({{"jail-ai.block-host", "true"},
                                     {"jail-ai.block-host.allow",
                                      "host:11434, 10.88.0.1:5432-5433/tcp [fd00::1]:53/udp  "
                                      "10.0.0.0/8:1/udp,[fd00::/8]:65535"}});
    REQUIRE(request);
    const auto& allow = request->allow;
    REQUIRE(allow.size() == 5);
    CHECK_FALSE(allow[0].destination);
    CHECK(allow[0].first == 11434);
    CHECK(allow[0].last == 11434);
    CHECK(allow[0].protocols == JAIL_PORTS_TCP);
    CHECK(allow[1].destination->to_string() == "10.88.0.1");
    CHECK(allow[1].last == 5433);
    CHECK(allow[2].destination->to_string() == "fd00::1");
    CHECK(allow[2].protocols == JAIL_PORTS_UDP);
    CHECK(allow[3].destination->to_string() == "10.0.0.0/8");
    CHECK(allow[4].destination->to_string() == "fd00::/8");
    CHECK(allow[4].first == 65535);
}

TEST_CASE("request: what is wrong with an exception, and at which character") {
    struct Case {
        const char* value;
        const char* message;
    };
    for (const Case& c :
         {Case{"host:99999/tcp",
               "jail-ai.block-host.allow: 'host:99999/tcp': expected a port from 1 to 65535 "
               "(character 6)"},
          Case{"host:0", "expected a port from 1 to 65535 (character 6)"},
          Case{"host:99999999999999999999", "expected a port from 1 to 65535 (character 6)"},
          Case{"host:", "a port number is missing (character 6)"},
          Case{"host:-80", "a port number is missing (character 6)"},
          Case{"host:80-", "a port number is missing (character 9)"},
          Case{"host:80-79", "port range ends below its start (character 9)"},
          Case{"host:80-99999", "expected a port from 1 to 65535 (character 9)"},
          Case{"host:80/icmp", "expected the end, '-', '/tcp' or '/udp' (character 8)"},
          Case{"host:80/tcpx", "expected the end, '-', '/tcp' or '/udp' (character 12)"},
          Case{"host:80/TCP", "expected the end"},
          Case{"host", "'host': expected DESTINATION:PORT, such as host:11434 (character 5)"},
          Case{"hosts:80", "expected 'host', an IPv4 address"},
          Case{"10.0.0.1", "expected DESTINATION:PORT, such as host:11434 (character 9)"},
          Case{"10.0.0.1/8:80", "expected 'host', an IPv4 address"},
          Case{"10.0.0.256:80", "expected 'host', an IPv4 address"},
          Case{"fd00::1:80", "expected 'host', an IPv4 address"},
          Case{"[10.0.0.1]:80", "not an IPv6 address or prefix (character 2)"},
          Case{"[fd00::1:80", "']' is missing (character 12)"},
          Case{"[fd00::1", "']' is missing (character 9)"},
          Case{"[fd00::1]80", "':' and a port are missing (character 10)"},
          Case{"[fe80::1/10]:80", "not an IPv6 address or prefix"},
          Case{":80", "expected 'host', an IPv4 address"},
          Case{"host:1 bad host:2", "jail-ai.block-host.allow: 'bad': expected DESTINATION:PORT"},
          Case{"", "jail-ai.block-host.allow: empty list"}})
        CHECK_MESSAGE(holds(allow_message(c.value), c.message),
                      c.value << ": " << allow_message(c.value));
    std::string many;
    for (int i = 0; i < 257; ++i) many += "host:1 ";
    CHECK(holds(allow_message(many), "more than 256 words"));
}

TEST_CASE("request: additions are prefixes or named sets") {
    const auto request =
        request_of({{"jail-ai.block-host", "true"},
                    {"jail-ai.block-host.also", "private,10.0.0.1 fd00::/8 gateway link-local"}});
    REQUIRE(request);
    REQUIRE(request->also.size() == 5);
    CHECK(std::get<NamedSet>(request->also[0].what) == NamedSet::private_networks);
    CHECK(std::get<IpPrefix>(request->also[1].what).to_string() == "10.0.0.1");
    CHECK(std::get<NamedSet>(request->also[3].what) == NamedSet::gateway);
    CHECK(holds(message_of({{"jail-ai.block-host", "true"}, {"jail-ai.block-host.also", "lan"}}),
                "jail-ai.block-host.also: 'lan': expected an address"));
}

TEST_CASE("request: risks are accepted by name, separated by comma or space") {
    const auto request = request_of(
        {{"jail-ai.block-host", "true"},
         {"jail-ai.block-host.accept", "cap_net_admin, host-cgroups inherited-sockets,host-pid"}});
    REQUIRE(request);
    CHECK(request->accepted == std::set{Risk::cap_net_admin, Risk::host_cgroups,
                                        Risk::inherited_sockets, Risk::host_pid});
}

TEST_CASE("request: annotations override the administrator's defaults, lists add up") {
    const Defaults defaults{settings({{"--block-host", "true"},
                                      {"--dns", "off"},
                                      {"--allow", "host:80"},
                                      {"--also", "private"},
                                      {"--accept", "host-pid"}}),
                            false};
    const auto untouched = join_settings(defaults, {});
    REQUIRE(untouched);
    CHECK(untouched->mode == Mode::enforce);
    CHECK(untouched->dns == Dns::off);
    const auto request =
        join_settings(defaults, settings({{"jail-ai.block-host", "false"},
                                          {"jail-ai.block-host.dns", "auto"},
                                          {"jail-ai.block-host.allow", "host:81"},
                                          {"jail-ai.block-host.on-failure", "run"},
                                          {"jail-ai.block-host.accept", "cap_bpf"}}));
    REQUIRE(request);
    CHECK(request->mode == Mode::off);
    CHECK(request->dns == Dns::automatic);
    CHECK(request->on_failure == OnFailure::run);
    CHECK(request->allow.size() == 2);
    CHECK(request->also.size() == 1);
    CHECK(request->accepted == std::set{Risk::host_pid, Risk::cap_bpf});
}

TEST_CASE("request: an enforced default is tightened, never loosened") {
    const Defaults audit{settings({{"--block-host", "audit"}}), true};
    CHECK(join_settings(audit, settings({{"jail-ai.block-host", "true"}}))->mode == Mode::enforce);
    CHECK(holds(join_message(audit, {{"jail-ai.block-host", "false"}}),
                "they ask for less than the block"));
    const Defaults floor{settings({{"--block-host", "true"},
                                   {"--dns", "off"},
                                   {"--allow", "host:80"},
                                   {"--accept", "host-pid"}}),
                         true};
    CHECK(join_message(floor, {}) == "no error");
    CHECK(join_message(floor, {{"jail-ai.block-host", "true"}}) == "no error");
    CHECK(join_message(floor, {{"jail-ai.block-host.also", "private"}}) == "no error");
    CHECK(join_message(floor, {{"jail-ai.block-host.allow", "host:80/tcp"}}) !=
          "no error");  // said otherwise
    CHECK(join_message(floor, {{"jail-ai.block-host.allow", "host:80"}}) == "no error");
    CHECK(join_message(floor, {{"jail-ai.block-host.accept", "host-pid"}}) == "no error");
    CHECK(join_message(floor, {{"jail-ai.block-host.on-failure", "refuse"}}) == "no error");
    CHECK(join_message(floor, {{"jail-ai.block-host.notice", "false"}}) == "no error");
    CHECK(join_message(floor, {{"jail-ai.block-host.errno", "EHOSTUNREACH"}}) == "no error");
    CHECK(holds(join_message(floor, {{"jail-ai.block-host", "audit"}}),
                "loosen what is enforced on this machine: they ask for less than the block: leave "
                "that out, or have root change what is enforced (/etc/jail-ai-hook.conf, or flags "
                "of the hook or the broker)"));
    CHECK(holds(join_message(floor, {{"jail-ai.block-host.allow", "host:81"}}),
                "they allow 'host:81'"));
    CHECK(holds(join_message(floor, {{"jail-ai.block-host.dns", "auto"}}), "they open DNS"));
    CHECK(holds(join_message(floor, {{"jail-ai.block-host.on-failure", "run"}}),
                "they let the container run unprotected"));
    CHECK(holds(join_message(floor, {{"jail-ai.block-host.accept", "cap_bpf"}}),
                "they accept cap_bpf"));
}

TEST_CASE(
    "request: what the broker's unit enforces, the hook's flags tighten and never loosen, and so "
    "do annotations behind them") {
    const Defaults unit{settings({{"--block-host", "true"},
                                  {"--dns", "off"},
                                  {"--allow", "host:80"},
                                  {"--accept", "host-pid"}}),
                        true};
    const auto message = [&](const std::vector<RawSetting>& flags) {
        const auto joined = join_defaults(unit, {settings(flags), false});
        return joined ? "no error" : joined.error().message;
    };
    CHECK(message({}) == "no error");
    CHECK(message({{"--allow", "host:80"},
                   {"--accept", "host-pid"},
                   {"--also", "private"},
                   {"--on-failure", "refuse"}}) == "no error");
    CHECK(holds(message({{"--block-host", "false"}}),
                "the hook's flags loosen what is enforced on this machine: they ask for less than "
                "the block"));
    CHECK(holds(message({{"--block-host", "audit"}}), "they ask for less than the block"));
    CHECK(holds(message({{"--allow", "host:81"}}), "they allow 'host:81'"));
    CHECK(holds(message({{"--dns", "auto"}}), "they open DNS"));
    CHECK(holds(message({{"--on-failure", "run"}}), "they let the container run unprotected"));
    CHECK(holds(message({{"--accept", "cap_bpf"}}), "they accept cap_bpf"));

    const auto joined = join_defaults(unit, {settings({{"--also", "private"}}), false});
    REQUIRE(joined);
    CHECK(joined->enforced);
    CHECK(joined->settings.mode == Mode::enforce);
    CHECK(joined->settings.dns == Dns::off);
    CHECK(joined->settings.allow.size() == 1);
    CHECK(joined->settings.also.size() == 1);
    CHECK(joined->settings.accepted == std::set{Risk::host_pid});
    CHECK(
        holds(join_message(*joined, {{"jail-ai.block-host", "audit"}}), "the annotations loosen"));
    CHECK(holds(join_message(*joined, {{"jail-ai.block-host.allow", "host:81"}}),
                "they allow 'host:81'"));
}

TEST_CASE(
    "request: where the broker's unit enforces nothing, the hook's flags override, lists add up, "
    "and what they enforce holds") {
    const Defaults unit{
        settings({{"--block-host", "audit"}, {"--also", "link-local"}, {"--allow", "host:80"}}),
        false};
    const auto joined = join_defaults(
        unit, {settings({{"--block-host", "true"}, {"--also", "private"}, {"--allow", "host:81"}}),
               true});
    REQUIRE(joined);
    CHECK(joined->enforced);
    CHECK(joined->settings.mode == Mode::enforce);
    CHECK(joined->settings.also.size() == 2);
    CHECK(joined->settings.allow.size() == 2);
    CHECK(holds(join_message(*joined, {{"jail-ai.block-host", "audit"}}),
                "they ask for less than the block"));
    CHECK_FALSE(join_defaults(unit, {})->enforced);
    CHECK(join_defaults(unit, {})->settings.mode == Mode::audit);
}

TEST_CASE("settings: every word that is listed is taken, as a flag and as an annotation") {
    for (const SettingWords& setting : setting_words()) {
        for (const std::string_view word : setting.words) {
            INFO(setting.name << ' ' << word);
            CHECK(parse_settings({{fmt::format("--{}", setting.name), std::string(word)}}));
            CHECK(parse_annotations({{annotation_key(setting.name), std::string(word)}}));
        }
        CHECK(setting.words.empty() == (setting.name == "allow"));
    }
}

TEST_CASE("settings: what a policy is made of is said as annotations say it") {
    const std::vector<RawSetting> asked = {{"jail-ai.block-host", "audit"},
                                           {"jail-ai.block-host.allow", "host:80"},
                                           {"jail-ai.block-host.allow", "[fd00::1]:53/udp"},
                                           {"jail-ai.block-host.also", "private"},
                                           {"jail-ai.block-host.also", "10.0.0.1"},
                                           {"jail-ai.block-host.dns", "off"},
                                           {"jail-ai.block-host.errno", "EHOSTUNREACH"},
                                           {"jail-ai.block-host.accept", "host-pid"}};
    CHECK(policy_settings(join_settings({}, settings(asked)).value()) == asked);
    const auto other =
        join_settings({}, settings({{"--block-host", "true"}, {"--on-failure", "run"}})).value();
    CHECK(policy_settings(other) == std::vector<RawSetting>{{"jail-ai.block-host", "true"},
                                                            {"jail-ai.block-host.dns", "auto"},
                                                            {"jail-ai.block-host.errno", "EPERM"}});
}

TEST_CASE("settings: each has its help, with the words that it names") {
    std::string help;
    for (const SettingWords& setting : setting_words())
        help += fmt::format("{}: {}\n", setting.name, setting.help);
    for (const char* line :
         {"block-host: deny the host;", "\nallow: ports to allow: host:11434 ",
          "\nalso: more to deny: addresses, prefixes, private, link-local",
          "\ndns: allow DNS to its", "\non-failure: reject what",
          "\nerrno: what denied calls fail with: EPERM, ECONNREFUSED, EHOSTUNREACH\n",
          "\nnotice: give the container a text",
          "\naccept: accepted risks: cap_net_raw, host-pid …\n"})
        CHECK_MESSAGE(holds(help, line), line);
}

TEST_CASE("settings: a table that leaves a value out, or names one twice, is not complete") {
    using Row = Named<Dns>;
    CHECK(names_each(kDns, Dns::off));
    CHECK_FALSE(names_each(std::to_array<Row>({{Dns::off, "off"}}), Dns::off));
    CHECK_FALSE(names_each(std::to_array<Row>({{Dns::off, "off"}, {Dns::off, "on"}}), Dns::off));
    CHECK_FALSE(
        names_each(std::to_array<Row>({{Dns::off, "off"}, {Dns::automatic, ""}}), Dns::off));
    CHECK_FALSE(names_each(kDns, Dns::automatic));
}
