// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What hook and broker say to each other, and whose a container is.
#include <doctest/doctest.h>

#include <cstring>

#include "broker/authorisation.h"
#include "broker/notices.h"
#include "broker/protocol.h"
#include "system/person.h"

using namespace jail_ai;

namespace {

constexpr std::string_view kNul("\0", 1);

const Message kMessage{{"--block-host=true", "--enforce", "--allow="},
                       R"({"id":"x"})",
                       "{}",
                       std::string("127.0.0.1 a\n") + std::string(kNul),
                       ""};

std::string encoded(const Message& message) {
    auto bytes = encode_message(message);
    REQUIRE(static_cast<bool>(bytes));
    return std::move(*bytes);
}

std::string header_of(const PartSizes& sizes) {
    std::string bytes(kJailMagic);
    bytes.append(reinterpret_cast<const char*>(sizes.data()), sizeof sizes);
    return bytes;
}

int header_error(std::string_view bytes) {
    const auto head = parse_header(bytes);
    return head ? 0 : head.error().exit_code;
}

std::string told(std::string_view bytes) {
    const auto answer = parse_reply(bytes);
    if (!answer) return "error " + std::to_string(answer.error().exit_code);
    const std::string_view word = answer->status == ReplyStatus::yes  ? "yes"
                                  : answer->status == ReplyStatus::no ? "no"
                                                                      : "never";
    return std::string(word) + "|" + std::to_string(answer->exit_code) + "|" + answer->text;
}

}  // namespace

TEST_CASE("protocol: a message arrives as it was sent") {
    for (const Message& message : {kMessage, Message{}, Message{{""}, "", "", "", "x"}}) {
        const std::string bytes = encoded(message);
        const auto head = parse_header(std::string_view(bytes).substr(0, kHeaderBytes));
        REQUIRE(static_cast<bool>(head));
        CHECK(head->asks == Asks::to_jail);
        CHECK(kHeaderBytes + body_size(head->sizes) == bytes.size());
        const auto got = parse_body(head->sizes, std::string_view(bytes).substr(kHeaderBytes));
        REQUIRE(static_cast<bool>(got));
        CHECK(got->flags == message.flags);
        CHECK(got->state == message.state);
        CHECK(got->config == message.config);
        CHECK(got->hosts == message.hosts);
        CHECK(got->resolv_conf == message.resolv_conf);
    }
}

TEST_CASE("protocol: what is no header is an error, of whatever length") {
    const std::string good = encoded(kMessage).substr(0, kHeaderBytes);
    CHECK(header_error(good) == 0);
    CHECK(header_error("") == EX_PROTOCOL);
    CHECK(header_error(good.substr(1)) == EX_PROTOCOL);
    CHECK(header_error(good + "x") == EX_PROTOCOL);
    CHECK(header_error(std::string(kHeaderBytes, '{')) == EX_PROTOCOL);
    std::string other_version = good;
    other_version[kJailMagic.size() - 1] = '2';
    CHECK(header_error(other_version) == EX_PROTOCOL);
}

TEST_CASE("protocol: each part is bounded, for the sender and for the receiver") {
    for (std::size_t part = 0; part < kParts; ++part) {
        PartSizes sizes{};
        sizes[part] = kMaxPart[part];
        CHECK(header_error(header_of(sizes)) == 0);
        for (const std::uint32_t more : {kMaxPart[part] + 1, 1U << 30, UINT32_MAX}) {
            sizes[part] = more;
            const auto parsed = parse_header(header_of(sizes));
            REQUIRE_FALSE(static_cast<bool>(parsed));
            CHECK(parsed.error().exit_code == EX_DATAERR);
            CHECK(parsed.error().message.find(std::string(kPartNames[part]) + " has " +
                                              std::to_string(more) + " bytes") !=
                  std::string::npos);
        }
    }
    CHECK(body_size(kMaxPart) < 11U << 20);
    Message message = kMessage;
    message.config.resize(kMaxPart[kConfig]);
    CHECK(static_cast<bool>(encode_message(message)));
    message.config.push_back(' ');
    CHECK(encode_message(message).error().message ==
          "the config.json has 1048577 bytes, the broker takes 1048576");
}

TEST_CASE("protocol: a body of another length, or a flag without an end") {
    const std::string bytes = encoded(kMessage);
    const auto head = parse_header(std::string_view(bytes).substr(0, kHeaderBytes));
    REQUIRE(static_cast<bool>(head));
    const std::string body = bytes.substr(kHeaderBytes);
    CHECK(static_cast<bool>(parse_body(head->sizes, body)));
    CHECK(parse_body(head->sizes, body.substr(1)).error().exit_code == EX_PROTOCOL);
    CHECK(parse_body(head->sizes, body + "x").error().exit_code == EX_PROTOCOL);
    CHECK(parse_body({3, 0, 0, 0, 0}, "--a").error().message == "the last flag has no end");
    CHECK(parse_body({2, 0, 0, 0, 0}, std::string_view("\0\0", 2))->flags.size() == 2);
}

TEST_CASE("protocol: a request to be shown jails arrives as it was sent") {
    for (const ShowRequest& request :
         {ShowRequest{{"status"}, {}},
          ShowRequest{{"log", "--json", "ab"}, {{"abc", "web", "/user-1/x"}, {"d", "", ""}}}}) {
        const auto bytes = encode_show(request);
        REQUIRE(static_cast<bool>(bytes));
        const auto head = parse_header(std::string_view(*bytes).substr(0, kHeaderBytes));
        REQUIRE(static_cast<bool>(head));
        CHECK(head->asks == Asks::to_show);
        const auto got = parse_show(head->sizes, std::string_view(*bytes).substr(kHeaderBytes));
        REQUIRE(static_cast<bool>(got));
        CHECK(got->words == request.words);
        CHECK(got->names == request.names);
    }
    ShowRequest many{{"status"}, {}};
    many.names.resize(kMaxPart[kState], {"a", "b", "c"});
    CHECK(encode_show(many).error().exit_code == EX_DATAERR);
}

TEST_CASE("protocol: what is no request to be shown jails") {
    const auto error_of = [](const PartSizes& sizes, std::string_view body) {
        const auto parsed = parse_show(sizes, body);
        return parsed ? 0 : parsed.error().exit_code;
    };
    CHECK(error_of({2, 0, 0, 0, 0}, std::string_view("s\0", 2)) == 0);
    CHECK(error_of({0, 0, 0, 0, 0}, "") == EX_PROTOCOL);
    CHECK(error_of({1, 0, 0, 0, 0}, "s") == EX_PROTOCOL);
    CHECK(error_of({2, 2, 0, 0, 0}, std::string_view("s\0a\0", 4)) == EX_PROTOCOL);
    CHECK(error_of({2, 4, 0, 0, 0}, std::string_view("s\0a\0b\0", 6)) == EX_PROTOCOL);
    CHECK(error_of({2, 6, 0, 0, 0}, std::string_view("s\0a\0b\0c\0", 8)) == 0);
    CHECK(error_of({2, 0, 0, 0, 1}, std::string_view("s\0x", 3)) == EX_PROTOCOL);
    CHECK(error_of({2, 0, 0, 0, 0}, "s") == EX_PROTOCOL);
}

TEST_CASE("protocol: what a user is shown is whole, or an error") {
    for (const std::string_view text : {"", "one\ntwo\n", "no newline"}) {
        const auto shown = parse_shown(encode_shown(text));
        REQUIRE(static_cast<bool>(shown));
        CHECK(*shown == text);
    }
    const auto error_of = [](std::string_view bytes) {
        const auto shown = parse_shown(bytes);
        return shown ? "" : std::to_string(shown.error().exit_code) + ": " + shown.error().message;
    };
    CHECK(error_of(encode_reply({ReplyStatus::no, 66, "no such container"})) ==
          "66: no such container");
    CHECK(error_of("no 66 \n") == "66: the broker rejects without a reason");
    CHECK(error_of("no 66 no such \x7f\n") == "66: no such \\x7f");
    const std::string whole = encode_shown("one\ntwo\n");
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(error_of(whole.substr(0, size)).starts_with("76: "));
    CHECK(error_of(whole + "x") == "76: the broker's answer was cut short");
    CHECK(error_of("yes many\nx") == "76: the broker's answer was cut short");
    CHECK(error_of("yes 1\nx") == "");
}

TEST_CASE("protocol: an answer is one line, and anything else is no yes") {
    CHECK(told(encode_reply({ReplyStatus::yes, 0, "jailed"})) == "yes|0|jailed");
    CHECK(told(encode_reply({ReplyStatus::no, 78, "it can't"})) == "no|78|it can't");
    CHECK(told(encode_reply({ReplyStatus::never, 65, ""})) == "never|65|");
    CHECK(told(encode_reply({ReplyStatus::no, 65, "two\nlines\r"})) == "no|65|two lines ");
    const std::string long_answer =
        encode_reply({ReplyStatus::no, 65, std::string(2 * kMaxReplyBytes, 'x')});
    CHECK(long_answer.size() == kMaxReplyBytes);
    CHECK(told(long_answer).starts_with("no|65|xxx"));
    for (const std::string_view strange : {"",
                                           "\n",
                                           "yes",
                                           "yes\n",
                                           "yes x",
                                           "yes x\n\n",
                                           "yes x\nno 1 y\n",
                                           "Yes x\n",
                                           " yes x\n",
                                           "yesx y\n",
                                           "no x\n",
                                           "no \n",
                                           "no 0 x\n",
                                           "no -1 x\n",
                                           "no 256 x\n",
                                           "no 99999999999 x\n",
                                           "no 65\n",
                                           "no 65x y\n",
                                           "never\n",
                                           "maybe 1 x\n"})
        CHECK(told(strange) == "error 76");
}

TEST_CASE(
    "authorisation: a process is jailed by whoever made its user namespace, one of the machine's "
    "by root") {
    const Peer user{100, 1000};
    const Peer root{100, 0};
    CHECK(owns_user_namespace(user, {7, false, 1000}));
    CHECK_FALSE(owns_user_namespace(user, {7, false, 1001}));
    CHECK_FALSE(owns_user_namespace(user, {7, false, 0}));
    CHECK_FALSE(owns_user_namespace(user, {7, true, 0}));
    CHECK(owns_user_namespace(root, {7, true, 0}));
    CHECK(owns_user_namespace(root, {7, false, 0}));
    CHECK_FALSE(owns_user_namespace(root, {7, false, 1000}));
    // what NS_GET_OWNER_UID says of an owner that has no number here
    CHECK_FALSE(owns_user_namespace(user, {7, false, 65534}));
}

TEST_CASE("authorisation: a cgroup is the user's that it or one above it belongs to") {
    const Peer user{100, 1000};
    CHECK(owns_cgroup(user, {1000, 0, 0}));
    CHECK(owns_cgroup(user, {100000, 1000, 0}));  // crun gives it to the container's root
    CHECK_FALSE(owns_cgroup(user, {0, 0, 0}));
    CHECK_FALSE(owns_cgroup(user, {1001, 0}));
    CHECK_FALSE(owns_cgroup(user, {}));
    CHECK(owns_cgroup({100, 0}, {1000, 0}));
}

TEST_CASE("authorisation: each rejection says why") {
    const Peer user{100, 1000};
    CHECK(static_cast<bool>(authorise_process(user, {7, false, 1000})));
    CHECK(authorise_process(user, {7, true, 0}).error().message ==
          "process 7 is not for uid 1000 to jail: it is in no user namespace but the machine's");
    CHECK(authorise_process(user, {7, false, 1001}).error().message ==
          "process 7 is not for uid 1000 to jail: its user namespace is another user's");
    CHECK(authorise_process(user, {100, false, 1000}).error().message ==
          "process 100 is not for uid 1000 to jail: it asks for itself");
    CHECK(authorise_process(user, {7, true, 0}).error().exit_code == EX_NOPERM);
    CHECK(static_cast<bool>(authorise_cgroup(user, {1000})));
    CHECK(authorise_cgroup(user, {0}).error().exit_code == EX_NOPERM);
    CHECK(authorise_cgroup(user, {0}).error().message.find("belongs to uid 1000") !=
          std::string::npos);
}

TEST_CASE("notices: one a minute for each person and cause") {
    Notices notices;
    CHECK(notices.is_due(1000, NoticeCause::busy, 5));
    CHECK_FALSE(notices.is_due(1000, NoticeCause::busy, 5));
    CHECK(notices.is_due(1000, NoticeCause::killed, 6));
    CHECK(notices.is_due(1001, NoticeCause::busy, 6));
    CHECK_FALSE(notices.is_due(1000, NoticeCause::busy, 5 + Notices::kSeconds - 1));
    CHECK(notices.is_due(1000, NoticeCause::busy, 5 + Notices::kSeconds));
    CHECK_FALSE(notices.is_due(1000, NoticeCause::busy, 6 + Notices::kSeconds));
}

TEST_CASE("notices: however many people there are, no more than a few in a minute") {
    Notices notices;
    std::size_t written = 0;
    for (uid_t person = 0; person < 10'000; ++person)
        if (notices.is_due(person, NoticeCause::busy, 7)) ++written;
    CHECK(written == Notices::kMost);
    CHECK(notices.is_due(0, NoticeCause::busy, 7 + Notices::kSeconds));
}

TEST_CASE("person: subordinate ids are their owner's, users are themselves") {
    const People people(
        "alice:100000:65536\n1001:165536:65536\nalice:300000:10\nelsewhere:400000:65536\n"
        "elsewhere:500000:65536\n",
        "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/"
        "sh\n");
    CHECK(people.owner_of(0) == 0);
    CHECK(people.owner_of(1000) == 1000);
    for (const uid_t uid : {100000U, 100001U, 165535U, 300000U, 300009U})
        CHECK(people.owner_of(uid) == 1000);
    for (const uid_t uid : {165536U, 231071U}) CHECK(people.owner_of(uid) == 1001);
    // One share among all that an owner has whom /etc/passwd doesn't know.
    for (const uid_t uid : {400000U, 465535U, 500000U, 565535U})
        CHECK(people.owner_of(uid) == 400000);
    for (const uid_t uid : {99999U, 231072U, 300010U, 1002U, 65534U})
        CHECK(people.owner_of(uid) == std::nullopt);
}

TEST_CASE("person: a user whose uid is among another's subordinate ids is a person still") {
    const People people("alice:1000:65536\n", "alice:x:1000::\nbob:x:1001::\n");
    CHECK(people.owner_of(1001) == 1001);
    CHECK(people.owner_of(1002) == 1000);
}

TEST_CASE("person: lines that nobody understands say nothing") {
    for (const char* subuid : {"", "\n", "alice", "alice:100000", "alice:100000:", "alice::65536",
                               "alice:x:65536", "alice:100000:0", ":100000:65536", "alice:-1:5",
                               "alice:100000:65536x", "alice:4294967296:1"}) {
        CAPTURE(subuid);
        const People people(subuid, "alice:x:1000::\n:x:100000::\nnobody\n");
        CHECK(people.owner_of(100000) == std::nullopt);
        CHECK(people.owner_of(1000) == 1000);
    }
    const People people("alice:4294967290:4294967295\n", "alice:x:1000::\n");
    CHECK(people.owner_of(4294967294U) == 1000);
    CHECK(people.owner_of(5) == std::nullopt);
}
