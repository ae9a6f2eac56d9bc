// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/fresh_denials.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace jail_ai {
namespace {

RecentDenial denial(std::uint16_t port, std::uint64_t times, std::uint64_t last) {
    RecentDenial made{};
    made.what.port = port;
    made.what.reason = JAIL_REASON_LOCAL;
    made.seen.count = times;
    made.seen.last = last;
    return made;
}

DenialCounts counts(std::uint64_t all) {
    DenialCounts made{};
    made[JAIL_REASON_LOCAL] = all - all / 3;
    made[JAIL_REASON_METADATA] = all / 3;
    return made;
}

// "PORT TIMES TIME", of each.
std::string text(const std::vector<RecentDenial>& denials) {
    std::string text;
    for (const RecentDenial& each : denials)
        text += std::to_string(each.what.port) + " " + std::to_string(each.seen.count) + " " +
                std::to_string(each.seen.last) + "; ";
    return text;
}

}  // namespace

TEST_CASE("fresh denials: those of one destination are one, the oldest first") {
    FreshDenials fresh;
    CHECK_FALSE(fresh.has_more(counts(0)));
    CHECK(fresh.has_more(counts(4)));
    CHECK(text(fresh.take(counts(4), {denial(7, 1, 30), denial(5, 3, 20)})) == "5 3 20; 7 1 30; ");
    CHECK_FALSE(fresh.has_more(counts(4)));
    CHECK(text(fresh.take(counts(6), {denial(5, 5, 40), denial(7, 1, 30)})) == "5 2 40; ");
    CHECK(fresh.take_forgotten() == 0);
}

TEST_CASE("fresh denials: what a jail has from before is none") {
    FreshDenials fresh;
    fresh.pass_over({denial(5, 3, 20)}, counts(10));
    CHECK_FALSE(fresh.has_more(counts(10)));
    CHECK(fresh.take_forgotten() == 0);
    CHECK(text(fresh.take(counts(12), {denial(5, 4, 30), denial(6, 1, 40)})) == "5 1 30; 6 1 40; ");
    CHECK(fresh.take_forgotten() == 0);
}

TEST_CASE("fresh denials: what was counted and is not remembered was forgotten") {
    FreshDenials fresh;
    CHECK(text(fresh.take(counts(9), {denial(5, 2, 20)})) == "5 2 20; ");
    CHECK(fresh.take_forgotten() == 7);
    CHECK(fresh.take_forgotten() == 0);
    // Forgotten, and remembered again.
    CHECK(text(fresh.take(counts(12), {denial(5, 1, 30)})) == "5 1 30; ");
    CHECK(fresh.take_forgotten() == 2);
}

TEST_CASE("fresh denials: what is remembered and not counted yet is not lost later") {
    FreshDenials fresh;
    CHECK(text(fresh.take(counts(1), {denial(5, 2, 20)})) == "5 2 20; ");
    CHECK(fresh.take_forgotten() == 0);
    CHECK(text(fresh.take(counts(2), {denial(5, 2, 20)})).empty());
    CHECK(fresh.take_forgotten() == 0);
    CHECK(text(fresh.take(counts(4), {denial(5, 3, 30)})) == "5 1 30; ");
    CHECK(fresh.take_forgotten() == 1);
}

TEST_CASE("fresh denials: of any number each is fresh or forgotten, once") {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        FreshDenials fresh;
        std::vector<RecentDenial> remembered;
        std::uint64_t all = 0, reported = 0, time = 0;
        for (int look = 0; look < 20; ++look) {
            for (auto more = random() % 50; more > 0; --more) {
                const auto port = static_cast<std::uint16_t>(random() % 12);
                const auto found = std::ranges::find(
                    remembered, port, [](const RecentDenial& each) { return each.what.port; });
                ++all;
                ++time;
                if (found != remembered.end()) {
                    ++found->seen.count;
                    found->seen.last = time;
                    continue;
                }
                if (remembered.size() == 8)
                    remembered.erase(remembered.begin() +
                                     static_cast<std::ptrdiff_t>(random() % 8));
                remembered.push_back(denial(port, 1, time));
            }
            for (const RecentDenial& each : fresh.take(counts(all), remembered))
                reported += each.seen.count;
            CHECK(reported <= all);
            if (random() % 3 == 0) {
                reported += fresh.take_forgotten();
                CHECK(reported == all);
            }
        }
    }
}

}  // namespace jail_ai
