// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The guard's part of a start (see matrix.h): what decides whether this kernel has one to give, its
// loading, attaching and proving, and what undoes it. Where the hook says yes, a socket that the
// guard alone denies is tried from inside as well; where it doesn't, the same socket opens.
//
// Run by `tests/faults/machines`, which brings kernels with BPF LSM.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "expect.h"
#include "kernel_bpf.h"
#include "matrix.h"
#include "must.h"
#include "picture.h"
#include "protocol_reporter.h"

#define NEED_GUARD() \
    if (!::jail_ai::test::kernel_has_guard()) SKIP_CASE("no BPF LSM on this kernel")

namespace jail_ai::test {
namespace {

constexpr const char* kListOfLsms = "/sys/kernel/security/lsm";

std::string named(const std::string& what) {
    utsname name{};
    must(::uname(&name), "ask for the kernel's release");
    return "the guard, " + what + ", Linux " + name.release;
}

bool opens_list(const Call& call) {
    return call.path == kListOfLsms;
}

// Of the decision those calls that are made next to reading which LSMs are active. The rest begins
// where the cgroup is asked for its handle, which nothing but the guard's loading does.
std::vector<Call> guards_part(const std::vector<Call>& calls) {
    constexpr std::ptrdiff_t kBefore = 6, kAfter = 6;
    const auto read = std::ranges::find_if(calls, opens_list);
    const auto load = std::ranges::find(calls, SYS_name_to_handle_at, &Call::number);
    if (read - calls.begin() < kBefore || load - read < kAfter || load == calls.end()) return {};
    std::vector<Call> part(read - kBefore, read + kAfter);
    part.insert(part.end(), load, calls.end());
    return part;
}

int error_of_packet_socket(Child& child) {
    return child.run([] {
        const int fd = ::socket(AF_PACKET, SOCK_RAW, 0);
        if (fd < 0) return errno;
        ::close(fd);
        return 0;
    });
}

// The last third: attaching until that fails, and undoing it.
std::vector<Call> its_end(const std::vector<Call>& calls) {
    std::vector<Call> part = guards_part(calls);
    part.erase(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(part.size() * 2 / 3));
    return part;
}

Look guarded_if_jailed(Container& container) {
    return [&container](bool says_yes) -> std::string {
        const int error = error_of_packet_socket(container.init);
        if (says_yes && error != EPERM)
            return "yes, and the guard denies nothing: " + error_name(error);
        if (!says_yes && error != 0) return "no, and a socket does not open: " + error_name(error);
        return {};
    };
}

std::size_t lsm_programs(const TestCgroup& cgroup) {
    const std::vector<Attachment> all = jail_attachments(cgroup.fd());
    return static_cast<std::size_t>(std::ranges::count(all, BPF_LSM_CGROUP, &Attachment::type));
}

Subject guarded(const std::string& what, Container& container, std::string jail) {
    Subject subject =
        subject_of(named(what), container, std::move(jail), guarded_if_jailed(container));
    subject.part = guards_part;
    return subject;
}

TEST_CASE("faults: the guard of a container with a network of its own") {
    NEED_GUARD();
    Container container;
    try_all(guarded("own network", container, jail_of(container)));
}

// As many as leave no room for the guard's.
std::vector<UniqueFd> hold_lsm_hooks(const TestCgroup& cgroup) {
    std::vector<UniqueFd> programs;
    for (const char* hook : {"socket_bind", "socket_listen", "socket_shutdown", "socket_getsockopt",
                             "socket_setsockopt", "task_setnice"}) {
        programs.push_back(load_passing_lsm(hook));
        attach(cgroup.fd(), programs.back(), BPF_LSM_CGROUP, BPF_F_ALLOW_MULTI);
    }
    return programs;
}

TEST_CASE("faults: the guard for which other programs leave no room") {
    NEED_GUARD();
    Container container;
    const TestCgroup others;
    const std::vector<UniqueFd> programs = hold_lsm_hooks(others);
    Subject subject = guarded("no room for it", container, "");
    subject.part = its_end;
    try_all(subject);
    CHECK(attachments(container.cgroup.fd()).empty());
}

// ---- that the suite sees what it looks for

TEST_CASE("the suite sees that a start without a fault is guarded") {
    NEED_GUARD();
    Container container;
    CHECK(error_of_packet_socket(container.init) == 0);
    expect_jailed(container.run_hook(), container.cgroup, Guard::lsm);
    CHECK(lsm_programs(container.cgroup) == kGuardTable.size());
    const DenialCounts before = denials(container.cgroup);
    CHECK(error_of_packet_socket(container.init) == EPERM);
    CHECK(change(before, denials(container.cgroup)) == one_more(JAIL_REASON_FAMILY));
}

// ENOENT says that this kernel has no list of LSMs, and so none of BPF.
TEST_CASE("the suite sees a container start without its guard") {
    NEED_GUARD();
    Container container;
    const std::string jail = jail_of(container);
    const Subject subject = guarded("own network", container, jail);
    const auto [first, ran] = subject.try_once({});
    REQUIRE(first.verdict == Verdict::same_jail);
    const auto read = std::ranges::find_if(ran.traced.calls, opens_list);
    REQUIRE(read != ran.traced.calls.end());
    const Fault absent{read->process, read->call, Kind::enoent};
    CHECK(subject.try_once(absent).first.why.starts_with("yes, and the guard denies nothing"));
    const Judgement by_picture =
        try_container(container, jail, absent, Laboratory::get().hook.fd()).first;
    CHECK(by_picture.why.starts_with("yes with another jail"));
    const Fault broken{read->process, read->call, Kind::eio};
    CHECK(subject.try_once(broken).first.verdict == Verdict::rejected);
}

TEST_CASE("the suite sees a guard that lacks a program") {
    NEED_GUARD();
    Container container;
    const std::string jail = jail_of(container);
    expect_jailed(container.run_hook(), container.cgroup, Guard::lsm);
    const std::vector<Attachment> all = jail_attachments(container.cgroup.fd());
    const auto lsm = std::ranges::find(all, "jail_socket", &Attachment::name);
    REQUIRE(lsm != all.end());
    REQUIRE(detach_by_id(container.cgroup.fd(), BPF_LSM_CGROUP, lsm->id) == 0);
    CHECK(judge(true, picture_of_jail(container.cgroup.fd()), jail, {})
              .why.starts_with("yes with another jail"));
    CHECK(guarded_if_jailed(container)(true).starts_with("yes, and the guard denies nothing"));
    clear(container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
