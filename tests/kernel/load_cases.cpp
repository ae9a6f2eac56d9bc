// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every program that a jail may have on this kernel, as it stands in this binary and before
// anything is asked of it: tests/mutants tells by this a mutant that the verifier turns down from
// one that a test catches.
#include <doctest/doctest.h>

#include <array>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "container.h"
#include "expect.h"
#include "jail/build.h"
#include "jail/loading.h"
#include "jail/skeleton.h"
#include "jail_memory.h"
#include "kernel_bpf.h"
#include "protocol_reporter.h"

namespace jail_ai::test {

TEST_CASE("the kernel takes the programs of a jail") {
    const TestCgroup cgroup;
    const auto opened = Cgroup::from_path(cgroup.path());
    REQUIRE(opened);
    std::vector<Guard> guards = {Guard::none};
    if (kernel_has_unix_hooks()) guards.push_back(Guard::unix_hooks);
    if (kernel_has_guard()) guards.push_back(Guard::lsm);
    for (const bool other : {false, true}) {
        for (const Guard guard : guards) {
            const Policy policy{
                {}, other ? Mode::audit : Mode::enforce, DenialError::eperm, other, {}};
            const auto jail = Jail::load(policy, guard, *opened, {"", "", 0, ""});
            CHECK_MESSAGE(jail, (jail ? std::string() : jail.error().message));
        }
    }
}

// clang keeps a constant of 16 bytes that it finds in a section of its own, of which libbpf makes a
// map for each jail.
TEST_CASE("the programs have no maps but those of their sources") {
    const Skeleton<jail_bpf> jail(jail_bpf::open());
    const Skeleton<guard_bpf> guard(guard_bpf::open());
    const Skeleton<unix_sockets_bpf> unix_sockets(unix_sockets_bpf::open());
    REQUIRE(jail != nullptr);
    REQUIRE(guard != nullptr);
    REQUIRE(unix_sockets != nullptr);
    for (const bpf_object* object : {jail->obj, guard->obj, unix_sockets->obj}) {
        int maps = 0;
        const bpf_map* map = nullptr;
        bpf_object__for_each_map(map, object) {
            const std::string_view name = ::bpf_map__name(map);
            CHECK_MESSAGE(!name.starts_with('.'), name);
            ++maps;
        }
        CHECK(maps > 1);
    }
}

// What the verifier goes through is most of the time that a container's start pays, and clang
// decides how often it has to go around: one that turns a search without branches into one with
// branches makes it a million, at which the verifier gives up (Linux 5.2), of a thousand.
TEST_CASE("the verifier goes through few instructions for each program of a jail") {
    constexpr unsigned long kMost = 4'000;
    constexpr std::uint32_t kOnlyStatistics = 4;  // BPF_LOG_STATS, kernel/bpf/verifier.c
    constexpr std::string_view kBefore = "processed ";
    const Skeleton<jail_bpf> skeleton(jail_bpf::open());
    REQUIRE(skeleton != nullptr);
    std::map<std::string, std::array<char, 4096>> logs;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj) {
        auto& log = logs[::bpf_program__name(program)];
        REQUIRE(::bpf_program__set_log_level(program, kOnlyStatistics) == 0);
        REQUIRE(::bpf_program__set_log_buf(program, log.data(), log.size()) == 0);
    }
    REQUIRE(jail_bpf::load(skeleton.get()) == 0);
    for (const auto& each : logs) {
        const std::string& name = each.first;
        const std::string_view text(each.second.data());
        INFO(name, ": ", text);
        const std::size_t at = text.find(kBefore);
        REQUIRE(at != std::string_view::npos);
        const auto processed = std::stoul(std::string(text.substr(at + kBefore.size())));
        std::cout << "# verifier: " << name << ": " << processed << " instructions\n";
        CHECK(processed < kMost);
    }
}

TEST_CASE("a jail takes little memory of the kernel") {
    constexpr std::uint64_t kMostKiB = 64;  // with two processors
    // A hash has a spare element for each processor, that of jail_probe about so large.
    constexpr std::uint64_t kSpare = 200;
    const auto processors = static_cast<std::uint64_t>(::libbpf_num_possible_cpus());
    // Before 6.4 the kernel shows what maps would take if they were full.
    if (!kernel_is_at_least(6, 4)) return skip_case("this kernel does not show what maps take");
    const Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const JailMemory memory = memory_of_jail(container.cgroup.fd());
    std::cout << "# memory: programs " << memory.programs << ", maps " << memory.maps << " bytes\n";
    CHECK(memory.programs > 0);
    if (!kernel_has_guard())
        CHECK(memory.all() < (kMostKiB << 10) + (processors > 2 ? processors - 2 : 0) * kSpare);
}

}  // namespace jail_ai::test
