// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Seccomp profiles at random, for what must hold of any.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "seccomp_profile.h"

namespace jail_ai::test {

// Profiles of every shape, with few and small numbers, so that rules meet.
class RandomProfile {
public:
    explicit RandomProfile(unsigned seed) : random_(seed) {}

    std::string text() {
        std::string rules =
            R"({"names":["read","write","openat","close","mmap","futex","execve"],"action":"SCMP_ACT_ALLOW"})";
        const unsigned count = below(6);
        for (unsigned i = 0; i < count; ++i) rules += "," + rule();
        const std::string otherwise =
            pick({"SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG"});
        const std::string number =
            otherwise == "SCMP_ACT_ERRNO" && below(2) == 0 ? R"("defaultErrnoRet":38,)" : "";
        return R"({"defaultAction":")" + otherwise + "\"," + number + (below(2) == 0 ? kX86 : "") +
               R"("syscalls":[)" + rules + "]}";
    }

private:
    unsigned below(unsigned end) {
        return std::uniform_int_distribution<unsigned>(0, end - 1)(random_);
    }
    std::string pick(const std::vector<std::string>& words) {
        return words[below(static_cast<unsigned>(words.size()))];
    }

    std::string condition() {
        const unsigned index = below(3);
        const std::string value = index == 0 ? pick({"1", "2", "16", "17", "38", "40", "41"})
                                             : pick({"0", "1", "3", "9"});
        const std::string head = R"({"index":)" + std::to_string(index) + R"(,"value":)";
        if (below(8) == 0)
            return head + pick({"0", "1", "1", "2"}) + R"(,"valueTwo":)" + pick({"0", "1", "3"}) +
                   R"(,"op":"SCMP_CMP_MASKED_EQ"})";
        return head + value + R"(,"op":"SCMP_CMP_)" +
               pick({"EQ", "EQ", "EQ", "NE", "NE", "LT", "LE", "GT", "GE"}) + "\"}";
    }

    std::string rule() {
        const std::string name =
            pick({"socket", "socket", "socket", "socketpair", "io_uring_setup"});
        const std::string action = pick({"SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",
                                         "SCMP_ACT_KILL", "SCMP_ACT_LOG"});
        std::string conditions;
        const unsigned count = below(3);
        for (unsigned i = 0; i < count; ++i) conditions += (i == 0 ? "" : ",") + condition();
        return R"({"names":[")" + name + R"("],"action":")" + action + "\"" +
               (action == "SCMP_ACT_ERRNO" ? R"(,"errnoRet":13)" : "") +
               (count > 0 ? R"(,"args":[)" + conditions + "]" : "") + "}";
    }

    std::mt19937 random_;
};

inline bool passes(std::string_view answer) {
    return answer == "pass" || answer == "log";
}

}  // namespace jail_ai::test
