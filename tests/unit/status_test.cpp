// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How "status" tells what has been found: to people, to machines, and to Prometheus.
#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <cstring>

#include "base/ip_prefix.h"
#include "commands/denial_text.h"
#include "commands/log_report.h"
#include "commands/status_report.h"
#include "container/request.h"
#include "policy/risks.h"

using namespace jail_ai;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr Now kNow{1000 * kSecond, 2000000000 * kSecond};

jail_denial refusal_of(std::uint8_t reason, std::uint16_t port, std::uint8_t protocol,
                       const char* address = nullptr) {
    jail_denial what{{}, port, protocol, reason};
    if (address != nullptr)
        std::memcpy(what.addr, IpPrefix::parse(address).value().key().addr, sizeof what.addr);
    return what;
}

JailSnapshot named(const char* name) {
    JailSnapshot jail;
    jail.name = name;
    jail.cgroup = "/machine.slice/libpod-1.scope";
    jail.metadata.emplace();
    jail.metadata->since = kNow.real - 7200 * kSecond;
    jail.metadata->mode = Mode::enforce;
    jail.metadata->guard = Guard::lsm;
    jail.metadata->risks =
        1U << static_cast<unsigned>(Risk::vsock) | 1U << static_cast<unsigned>(Risk::abstract_unix);
    jail.metadata->container = "0123456789abcdef";
    jail.programs = {{"jail_connect4", 1, 0, {}}};
    jail.prefixes = 38;
    jail.denials[JAIL_REASON_LOCAL] = 7;
    RecentDenial denial{refusal_of(JAIL_REASON_LOCAL, 5432, 6, "10.88.0.1"),
                        {7, kNow.since_boot - 3 * kSecond, 42, {}, 0}};
    std::memcpy(denial.seen.comm, "psql", 4);
    jail.recent_denials = {denial};
    return jail;
}

JailSnapshot report() {
    return named("");
}

}  // namespace

TEST_CASE("status: what was denied, in words") {
    CHECK(denial_text(refusal_of(JAIL_REASON_LOCAL, 5432, 6, "10.88.0.1")) == "10.88.0.1:5432/tcp");
    CHECK(denial_text(refusal_of(JAIL_REASON_LOCAL, 53, 17, "fd00::1")) == "[fd00::1]:53/udp");
    CHECK(denial_text(refusal_of(JAIL_REASON_MULTICAST, 0, 58, "ff02::16")) == "ff02::16 icmpv6");
    CHECK(denial_text(refusal_of(JAIL_REASON_MALFORMED_PACKET, 0, 47, "10.88.0.1")) ==
          "10.88.0.1 protocol 47");
    CHECK(denial_text(refusal_of(JAIL_REASON_FAMILY, 40, 0)) == "socket of family 40, protocol 0");
    CHECK(denial_text(refusal_of(JAIL_REASON_INHERITED_FILE, JAIL_FILE_DEVICE, 0)) ==
          "a network device handed in");
    CHECK(denial_text(refusal_of(JAIL_REASON_INHERITED_FILE, 99, 0)) == "a file handed in");
    CHECK(denial_text(refusal_of(JAIL_REASON_BPF, 5, 0)) == "bpf command 5");
}

TEST_CASE("status: a made-up ID reaches no terminal unescaped, and is JSON") {
    JailSnapshot made_up = report();
    made_up.metadata->container = "\x1b[2J\xff";
    CHECK(status_to_people({made_up}, kNow).find('\x1b') == std::string::npos);
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(
        status_to_machines({made_up}, kNow).c_str());
    REQUIRE_FALSE(document.HasParseError());
    CHECK(std::string(document[0]["container"].GetString()) == "\\x1b[2J\\xff");
    const LogEntry entry{
        0, made_up.metadata->container, {}, Mode::enforce, made_up.recent_denials.front()};
    CHECK(log_to_people(entry).find('\x1b') == std::string::npos);
    CHECK_FALSE(
        document.Parse<rapidjson::kParseValidateEncodingFlag>(log_to_machines(entry).c_str())
            .HasParseError());
}

TEST_CASE("status: for people") {
    CHECK(times_text(1) == "1 time");
    CHECK(times_text(2) == "2 times");
    CHECK(status_to_people({}, kNow) == "no container is jailed here\n");
    CHECK(status_to_people({report()}, kNow) ==
          "0123456789abcdef  enforce, guarded, 38 prefixes, for 2 h\n"
          "  '/machine.slice/libpod-1.scope'\n"
          "  denied 7: local 7\n"
          "  known risks: vsock, abstract-unix\n"
          "    10.88.0.1:5432/tcp (local), 7 times, the last 3 s ago by 'psql', process 42\n");
}

TEST_CASE("status: people are told of a kernel without the guard in the words of the log") {
    JailSnapshot jail = report();
    jail.metadata->guard = Guard::none;
    CHECK(status_to_people({jail}, kNow)
              .starts_with("0123456789abcdef  enforce, no BPF LSM, 38 prefixes"));
    jail.metadata->guard = Guard::unix_hooks;
    CHECK(
        status_to_people({jail}, kNow)
            .starts_with("0123456789abcdef  enforce, no BPF LSM, abstract Unix sockets denied, "));
}

TEST_CASE("status: a container's name stands behind its ID") {
    CHECK(status_to_people({named("web")}, kNow).starts_with("0123456789abcdef (web)  enforce, "));
}

TEST_CASE("status: a jail that another version has made is listed, too") {
    JailSnapshot jail = report();
    jail.metadata.reset();
    jail.recent_denials.clear();
    CHECK(status_to_people({jail}, kNow)
              .starts_with("unknown container  of another version of jail-ai-hook, 38 prefixes: "
                           "restart it\n"));
    jail.inside = "0123456789abcdef";
    CHECK(status_to_people({jail}, kNow).starts_with("0123456789abcdef  of another version "));
}

TEST_CASE("status: for machines") {
    rapidjson::Document answer;
    JailSnapshot odd = named("web");
    std::memcpy(odd.recent_denials[0].seen.comm, "\xff\"\n", 4);
    const std::string text = status_to_machines({report(), odd}, kNow);
    REQUIRE(!answer.Parse<rapidjson::kParseValidateEncodingFlag>(text.c_str()).HasParseError());
    REQUIRE(answer.Size() == 2);
    const auto& jail = answer[0];
    const auto text_at = [](const rapidjson::Value& object, const char* key) {
        return std::string(object[key].GetString());
    };
    CHECK(text_at(jail, "container") == "0123456789abcdef");
    CHECK_FALSE(jail.HasMember("name"));
    CHECK(text_at(answer[1], "name") == "web");
    CHECK(text_at(jail, "mode") == "enforce");
    CHECK(text_at(jail, "guard") == "lsm");
    CHECK(jail["denials"]["local"].GetUint64() == 7);
    CHECK(jail["denials"].MemberCount() == JAIL_REASON_COUNT);
    CHECK(jail["risks"].Size() == 2);
    CHECK(text_at(jail["recent_denials"][0], "what") == "10.88.0.1:5432/tcp");
    CHECK(jail["recent_denials"][0]["seconds_ago"].GetUint64() == 3);
    CHECK(text_at(jail["recent_denials"][0], "comm") == "psql");
    CHECK(text_at(answer[1]["recent_denials"][0], "comm") == "\\xff\"\\x0a");
}

TEST_CASE("status: for Prometheus, with what is special in a label escaped") {
    JailSnapshot jail = report();
    jail.metadata->container = "a\"b\\c\nd";
    const std::string text = status_to_prometheus({jail});
    CHECK(text.find("jail_ai_jails 1\n") != std::string::npos);
    CHECK(
        text.find(
            R"(jail_ai_denials_total{container="a\"b\\c\\x0ad",mode="enforce",reason="local"} 7)") !=
        std::string::npos);
    CHECK(
        status_to_prometheus({named("web")})
            .find(
                R"(jail_ai_denials_total{container="0123456789abcdef",name="web",mode="enforce",reason="local"} 7)") !=
        std::string::npos);
}

TEST_CASE("journal: a denial is an entry with a field for each thing that is known") {
    const RecentDenial denial{refusal_of(JAIL_REASON_LOCAL, 5432, 6, "fd00::1"),
                              {1, 0, 42, "psql", 0}};
    CHECK(journal_fields(LogEntry{0, "4a5b", "agent", Mode::enforce, denial}) ==
          JournalFields{{"JAIL_AI_EVENT", "denied"},
                        {"JAIL_AI_MODE", "enforce"},
                        {"JAIL_AI_CONTAINER", "4a5b"},
                        {"JAIL_AI_NAME", "agent"},
                        {"JAIL_AI_REASON", "local"},
                        {"JAIL_AI_DESTINATION", "fd00::1"},
                        {"JAIL_AI_PORT", "5432"},
                        {"JAIL_AI_PROTOCOL", "tcp"},
                        {"JAIL_AI_PID", "42"},
                        {"JAIL_AI_COMM", "psql"},
                        {"JAIL_AI_COUNT", "1"}});
    const RecentDenial family{refusal_of(JAIL_REASON_FAMILY, 17, 0), {3, 0, 0, {}, 0}};
    CHECK(journal_fields(LogEntry{0, "", "", Mode::audit, family}) ==
          JournalFields{{"JAIL_AI_EVENT", "denied"},
                        {"JAIL_AI_MODE", "audit"},
                        {"JAIL_AI_REASON", "family"},
                        {"JAIL_AI_COUNT", "3"}});
}

TEST_CASE("journal: a jail that has gone is one, with its reasons and destinations") {
    JailSnapshot jail = named("agent");
    CHECK(ended_sentence(jail) == "ended: denied 7: local 7; 10.88.0.1:5432/tcp (local), 7 times");
    CHECK(journal_fields(jail) == JournalFields{{"JAIL_AI_EVENT", "ended"},
                                                {"JAIL_AI_MODE", "enforce"},
                                                {"JAIL_AI_CONTAINER", "0123456789abcdef"},
                                                {"JAIL_AI_NAME", "agent"},
                                                {"JAIL_AI_REASON", "local"},
                                                {"JAIL_AI_DESTINATION", "10.88.0.1"},
                                                {"JAIL_AI_COUNT", "7"}});
    jail.recent_denials.insert(jail.recent_denials.end(), 20, jail.recent_denials.front());
    CHECK(ended_sentence(jail).ends_with("7 times; and 5 more"));
}

TEST_CASE("journal: the native protocol, whatever bytes a value has") {
    const JournalFields fields{{"MESSAGE", "a=b"}, {"X", "two\nlines"}, {"EMPTY", ""}};
    constexpr char kWanted[] = "MESSAGE=a=b\nX\n\x09\0\0\0\0\0\0\0two\nlines\nEMPTY=\n";
    CHECK(journal_entry(fields) == std::string(kWanted, sizeof kWanted - 1));
}
