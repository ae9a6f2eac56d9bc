// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What holds of any profile that is tightened, and of any config.json.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <array>
#include <functional>
#include <iterator>
#include <random>
#include <vector>

#include "random_profile.h"
#include "seccomp/tighten.h"
#include "seccomp_profile.h"

using namespace jail_ai;
using namespace jail_ai::test;

namespace {

// What a profile's rules say of a call, if they don't contradict each other. The runtimes skip
// what the default action says anyway, and take several conditions on one argument for several
// rules; to libseccomp a rule without conditions is the only one, a mask without bits is no
// condition, and bits outside of a mask are not compared.
bool lets_pass(const rapidjson::Document& profile, std::string_view syscall,
               const std::array<std::uint64_t, 3>& arguments) {
    const auto is_pass = [](const rapidjson::Value& action) {
        return action == "SCMP_ACT_ALLOW" || action == "SCMP_ACT_LOG";
    };
    const auto holds = [&](const rapidjson::Value& condition) {
        const std::string_view op = condition["op"].GetString();
        const std::uint64_t is = arguments.at(condition["index"].GetUint());
        const std::uint64_t value = condition["value"].GetUint64();
        if (op == "SCMP_CMP_MASKED_EQ")
            return (is & value) == (condition["valueTwo"].GetUint64() & value);
        return (op == "SCMP_CMP_EQ" && is == value) || (op == "SCMP_CMP_NE" && is != value) ||
               (op == "SCMP_CMP_LT" && is < value) || (op == "SCMP_CMP_LE" && is <= value) ||
               (op == "SCMP_CMP_GT" && is > value) || (op == "SCMP_CMP_GE" && is >= value);
    };
    const auto has_no_bits = [](const rapidjson::Value& condition) {
        return std::string_view(condition["op"].GetString()) == "SCMP_CMP_MASKED_EQ" &&
               condition["value"].GetUint64() == 0;
    };
    const auto is_apart = [](const rapidjson::Value& rule) {
        return rule["args"].Size() == 2 &&
               rule["args"][0]["index"].GetUint() == rule["args"][1]["index"].GetUint();
    };
    const auto is_always = [&](const rapidjson::Value& rule) {
        if (!rule.HasMember("args")) return true;
        const auto args = rule["args"].GetArray();
        return is_apart(rule) ? std::ranges::any_of(args, has_no_bits)
                              : std::ranges::all_of(args, has_no_bits);
    };
    const auto says_nothing_new = [&](const rapidjson::Value& rule) {
        return rule["action"] == profile["defaultAction"] && !rule.HasMember("errnoRet");
    };
    bool answer = is_pass(profile["defaultAction"]);
    for (const auto& rule : profile["syscalls"].GetArray()) {
        if (syscall != rule["names"][0].GetString() || says_nothing_new(rule)) continue;
        if (is_always(rule)) return is_pass(rule["action"]);
    }
    for (const auto& rule : profile["syscalls"].GetArray()) {
        if (syscall != rule["names"][0].GetString() || says_nothing_new(rule)) continue;
        const auto args = rule["args"].GetArray();
        if (is_apart(rule) ? std::ranges::any_of(args, holds) : std::ranges::all_of(args, holds))
            answer = is_pass(rule["action"]);
    }
    return answer;
}

// The first call that gets another answer than it should; empty if there is none.
std::string wrong_call(const Profile& before, const SeccompFilter& after) {
    for (const char* syscall : {"socket", "socketpair"}) {
        for (const std::uint64_t family :
             std::initializer_list<std::uint64_t>{0, 1, 2, 10, 16, 17, 38, 39, 40, 41, 46, 300}) {
            for (const std::uint64_t type :
                 std::initializer_list<std::uint64_t>{0, 1, 2, 3, 9, 10}) {
                for (const std::uint64_t protocol :
                     std::initializer_list<std::uint64_t>{0, 1, 2, 9, 16}) {
                    const bool expected =
                        is_permitted(family, syscall) &&
                        lets_pass(before.document, syscall, {family, type, protocol});
                    if (passes(on_socket(after, family, type, protocol, syscall)) != expected)
                        return fmt::format("{}({}, {}, {}) should {}pass", syscall, family, type,
                                           protocol, expected ? "" : "not ");
                }
            }
        }
    }
    return {};
}

}  // namespace

TEST_CASE(
    "tight profile: of any profile, the permitted families get the answers that its rules say, and "
    "no other passes") {
    unsigned refused = 0;
    unsigned compared = 0;
    for (unsigned seed = 0; seed < 500; ++seed) {
        const Profile profile = parsed(RandomProfile(seed).text());
        INFO(seed << ' ' << profile.text);
        const auto outcome = tighten_profile(profile.part(), false);
        if (!outcome) {
            CHECK(outcome.error().exit_code == EX_CONFIG);
            ++refused;
            continue;
        }
        const Profile after = parsed(outcome->profile);
        CHECK(tight(after).text == after.text);
        const auto filter = SeccompFilter::load(after.document);
        if (!filter) {
            CHECK_FALSE(SeccompFilter::load(profile.document));
            continue;
        }
        ++compared;
        CHECK(wrong_call(profile, *filter) == "");
        CHECK(to_string(filter->answer("read", {})) == "pass");
        CHECK_FALSE(passes(to_string(filter->answer("io_uring_setup", {}))));
    }
    CHECK(compared > 300);
    CHECK(refused > 20);
}

namespace {

// config.json of every shape: what is looked at is there or not, in any order and written in any
// way, between other things.
class RandomConfig {
public:
    explicit RandomConfig(unsigned seed) : random_(seed) {}

    std::string text() {
        return space() +
               object({{"process",
                        [this] {
                            return object({{"capabilities", [this] { return capabilities(); }}});
                        }},
                       {"linux",
                        [this] {
                            return object({{"seccomp", [this] { return profile(); }}});
                        }},
                       {"annotations", [this] { return other(2); }}}) +
               space();
    }

private:
    struct Member {
        const char* name;
        std::function<std::string()> value;
    };

    unsigned below(unsigned end) {
        return std::uniform_int_distribution<unsigned>(0, end - 1)(random_);
    }
    std::string pick(const std::vector<std::string>& words) {
        return words[below(static_cast<unsigned>(words.size()))];
    }
    std::string space() { return pick({"", "", "", " ", "\n", "\t ", "\r\n"}); }

    // The members, some of them, and others.
    std::string object(const std::vector<Member>& members) {
        std::vector<std::string> all;
        for (const Member& member : members)
            if (below(4) != 0)
                all.push_back(fmt::format("\"{}\"{}:{}{}", member.name, space(), space(),
                                          below(8) == 0 ? "null" : member.value()));
        for (unsigned i = below(3); i > 0; --i)
            all.push_back(fmt::format("\"{}{}\"{}:{}",
                                      pick({"x", "Linux", "\\u0000", "é", "a\\\"b", "}"}), i,
                                      space(), other(3)));
        std::ranges::shuffle(all, random_);
        std::string joined;
        for (const std::string& one : all)
            joined += (joined.empty() ? "" : ",") + space() + one + space();
        return "{" + joined + space() + "}";
    }

    std::string array(const std::vector<std::string>& elements) {
        std::string joined;
        for (const std::string& one : elements)
            joined += (joined.empty() ? "" : ",") + space() + one + space();
        return "[" + joined + space() + "]";
    }

    std::string other(unsigned depth) {
        if (depth > 0 && below(3) == 0)
            return object({{"deeper", [this, depth] { return other(depth - 1); }}});
        if (depth > 0 && below(3) == 0) return array({other(depth - 1), other(depth - 1)});
        return pick({"0", "-0", "1e300", "-1.50E-7", "18446744073709551615", "18446744073709551616",
                     "-9223372036854775809", "0.1000", "true", "false", "null", "\"\"",
                     "\"CAP_NET_RAW\"", "\"\\u0000\\/\\ud83d\\ude00]}\\\\\"", "[]", "{}", "[ ]"});
    }

    std::string set() {
        std::vector<std::string> names;
        for (unsigned i = below(4); i > 0; --i)
            names.push_back(pick({"\"CAP_NET_RAW\"", "\"cap_net_raw\"", "\"CAP_KILL\"",
                                  "\"CAP_NET_ADMIN\"", "\"\""}));
        return array(names);
    }

    std::string capabilities() {
        const auto of_set = [this] { return set(); };
        return object({{"bounding", of_set},
                       {"effective", of_set},
                       {"inheritable", of_set},
                       {"permitted", of_set},
                       {"ambient", of_set}});
    }

    std::string rule() {
        std::vector<std::string> names;
        for (unsigned i = below(3); i > 0; --i)
            names.push_back(pick({R"("socket")", R"("read")", R"("socketcall")",
                                  R"("io_uring_setup")", R"("socketpair")"}));
        return fmt::format(R"({{"action":"{}",{}"names":{}{}}})",
                           pick({"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"}), space(), array(names),
                           below(2) == 0 ? "" : R"(,"comment":)" + other(1));
    }

    std::string profile() {
        std::vector<std::string> rules;
        for (unsigned i = below(4); i > 0; --i) rules.push_back(rule());
        return fmt::format(R"({{"defaultAction":"{}",{}"syscalls":{}{}}})",
                           pick({"SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"}), space(), array(rules),
                           pick({"", R"(,"architectures":["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])",
                                 R"(,"flags":[ 1e9 ])"}));
    }

    std::mt19937 random_;
};

// Every value of a text, in order: "/linux/seccomp/flags/0 1e9". Numbers are as they were written;
// a container is its first brace.
class Values {
public:
    static std::vector<std::string> of(std::string_view text) {
        Values values;
        rapidjson::MemoryStream stream(text.data(), text.size());
        rapidjson::Reader reader;
        REQUIRE(reader.Parse<rapidjson::kParseNumbersAsStringsFlag>(stream, values));
        return values.all_;
    }

    bool Null() { return add("null"); }
    bool Bool(bool b) { return add(b ? "true" : "false"); }
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool RawNumber(const char* s, rapidjson::SizeType n, bool) { return add(std::string(s, n)); }
    bool String(const char* s, rapidjson::SizeType n, bool) {
        return add("'" + std::string(s, n) + "'");
    }
    bool Key(const char* s, rapidjson::SizeType n, bool) {
        path_.back() = std::string(s, n);
        return true;
    }
    bool StartObject() { return add("{") && enter(""); }
    bool EndObject(rapidjson::SizeType) { return leave(); }
    bool StartArray() { return add("[") && enter("0"); }
    bool EndArray(rapidjson::SizeType) { return leave(); }

private:
    bool add(const std::string& value) {
        std::string line;
        for (const std::string& step : path_) line += "/" + step;
        all_.push_back(line + " " + value);
        if (value != "{" && value != "[") next();
        return true;
    }
    bool enter(const char* first) {
        path_.emplace_back(first);
        return true;
    }
    bool leave() {
        path_.pop_back();
        next();
        return true;
    }
    void next() {
        if (!path_.empty() && !path_.back().empty() &&
            path_.back().find_first_not_of("0123456789") == std::string::npos)
            path_.back() = std::to_string(std::stoul(path_.back()) + 1);
    }

    std::vector<std::string> path_;
    std::vector<std::string> all_;
};

bool starts_with_any(std::string_view value, std::initializer_list<std::string_view> starts) {
    return std::ranges::any_of(starts,
                               [&](std::string_view start) { return value.starts_with(start); });
}

bool is_in_sets(std::string_view value) {
    constexpr std::string_view kSets = "/process/capabilities/";
    return value.starts_with(kSets) &&
           starts_with_any(value.substr(kSets.size()),
                           {"bounding/", "effective/", "inheritable/", "permitted/", "ambient/"});
}

// Without what may change: the names in the five sets, the profile's rules and architectures, and
// that there is a profile.
std::vector<std::string> unchangeable(const std::vector<std::string>& values) {
    std::vector<std::string> rest;
    std::ranges::copy_if(values, std::back_inserter(rest), [](std::string_view value) {
        return !is_in_sets(value) &&
               !starts_with_any(value,
                                {"/linux ", "/linux/seccomp ", "/linux/seccomp/syscalls",
                                 "/linux/seccomp/architectures", "/linux/seccomp/defaultAction"});
    });
    return rest;
}

// The names in the five sets, and which, but for CAP_NET_RAW.
std::vector<std::string> other_capabilities(const std::vector<std::string>& values) {
    std::vector<std::string> names;
    for (const std::string& value : values)
        if (is_in_sets(value) && !value.ends_with(" 'CAP_NET_RAW'") &&
            !value.ends_with(" 'cap_net_raw'"))
            names.push_back(value.substr(0, value.find_last_of('/')) +
                            value.substr(value.find(' ')));
    return names;
}

}  // namespace

TEST_CASE(
    "tighten: of any config.json, nothing changes but in the named places, and to tighten again "
    "changes nothing") {
    unsigned changed = 0;
    for (unsigned seed = 0; seed < 500; ++seed) {
        const std::string text = RandomConfig(seed).text();
        INFO(seed << ' ' << text);
        const Profile before = parsed(text);
        const auto once = tighten(before.document, text, {});
        REQUIRE_MESSAGE(once, once.error().message);
        const Profile after = parsed(once->config);
        const auto values_before = Values::of(text);
        const auto values_after = Values::of(once->config);
        CHECK(unchangeable(values_after) == unchangeable(values_before));
        CHECK(other_capabilities(values_after) == other_capabilities(values_before));
        CHECK(std::ranges::count_if(values_after, is_in_sets) ==
              std::ssize(other_capabilities(values_after)));
        const auto twice = tighten(after.document, once->config, {});
        REQUIRE(twice);
        CHECK(twice->config == once->config);
        CHECK(twice->taken.empty());
        if (!once->taken.empty()) ++changed;
        const auto untouched = tighten(before.document, text, {Risk::cap_net_raw, Risk::vsock});
        REQUIRE(untouched);
        CHECK(untouched->config == text);
    }
    CHECK(changed > 300);
}
