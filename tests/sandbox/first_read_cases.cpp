// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// All of the confinement is there before anything is parsed, by the kernel's own account in /proc:
// of the broker at its first read, of hooks when they report what they could not parse.
#include <dirent.h>
#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <sstream>

#include "base/unique_fd.h"
#include "files.h"
#include "held_hook.h"
#include "jail/reader.h"
#include "must.h"
#include "protocol_reporter.h"
#include "sandbox/phases.h"

namespace jail_ai::test {
namespace {

constexpr const char* kNone = "0000000000000000";
constexpr const char* kJailing =
    "0000000000281004";  // DAC_READ_SEARCH, NET_ADMIN, SYS_PTRACE, SYS_ADMIN

std::string limit(const HeldHook& hook, const std::string& name) {
    std::istringstream lines(read_file(hook.path("limits")));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name)) continue;
        std::istringstream values(line.substr(name.size()));
        std::string soft, hard;
        values >> soft >> hard;
        return soft + " " + hard;
    }
    return "no such limit";
}

int count_descriptors(const HeldHook& hook) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(hook.path("fd").c_str()),
                                                        ::closedir);
    int count = 0;
    while (const dirent* entry = ::readdir(directory.get()))
        if (entry->d_name[0] != '.') ++count;
    return count;
}

constexpr int kAnyNumber = -1;

void expect_confined(const HeldHook& hook, const std::string& capabilities, int descriptors = 4) {
    CHECK(hook.status("NoNewPrivs") == "1");
    CHECK(hook.status("Seccomp") == "2");
    if (kHasSyscallFilter && !hook.status("Seccomp_filters").empty())
        CHECK(hook.status("Seccomp_filters") == "2");  // ours and its own
    for (const char* set : {"CapInh", "CapBnd", "CapAmb"}) CHECK(hook.status(set) == kNone);
    CHECK(hook.status("CapPrm") == capabilities);
    CHECK(hook.status("CapEff") == capabilities);
    CHECK(limit(hook, "Max core file size") == "0 0");
    CHECK(limit(hook, "Max processes") == "0 0");
    CHECK(hook.status("SigBlk") == kNone);
    // 0, 1, 2 and syslog; of those that jail also the prober, and both ends of the channel to it.
    if (descriptors != kAnyNumber) CHECK(count_descriptors(hook) == descriptors);
}

void block_everything() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

void own_run() {
    must(::unshare(CLONE_NEWNS), "make a mount namespace");
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
    must(::mount("run", "/run", "tmpfs", 0, nullptr), "mount a private /run");
    block_everything();
}

TEST_CASE("createRuntime is confined when it parses") {
    expect_confined(HeldHook({"createRuntime"}, HeldAt::first_message, block_everything), kJailing,
                    7);
}

TEST_CASE("precreate is confined when it parses, without a capability") {
    expect_confined(HeldHook({"precreate"}, HeldAt::first_message, block_everything), kNone);
}

TEST_CASE("in a user namespace it is confined when it parses") {
    const HeldHook hook({"createRuntime"}, HeldAt::first_message, [] {
        const uid_t user = 4711;
        must(::setresgid(user, user, user), "become an ordinary group");
        must(::setresuid(user, user, user), "become an ordinary user");
        must(::prctl(PR_SET_DUMPABLE, 1), "own /proc/self again");
        must(::unshare(CLONE_NEWUSER), "make a user namespace");
        write_file("/proc/self/uid_map", "0 4711 1");
    });
    expect_confined(hook, "0000000000080004");  // SYS_PTRACE, DAC_READ_SEARCH
}

TEST_CASE("the broker is confined before it reads, but for the file of its slots") {
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "make a connection");
    const UniqueFd ours(ends[0]);
    const UniqueFd its(ends[1]);
    expect_confined(HeldHook({"broker"}, HeldAt::first_read, own_run, its.get()), kJailing, 8);
}

TEST_CASE("so is each verb of root when it has looked at what users wrote") {
    const auto expect = [](const std::vector<const char*>& words, HeldAt at, int descriptors) {
        INFO(std::string(words.front()));
        expect_confined(HeldHook(words, at, own_run), kJailing, descriptors);
    };
    const char* none = "no-such-container";
    // Where the machine has a jail, cgroup2's mount stays open, by which jails' cgroups are.
    const int mount = read_jails(JailPart::denials).value().empty() ? 0 : 1;
    // 0, 1, 2 and syslog; then the prober, the files by which verbs take turns.
    for (const char* verb : {"status", "log"}) expect({verb, none}, HeldAt::first_message, 4);
    expect({"explain", "--container", none}, HeldAt::first_message, 4);
    expect({"detach", "--container", none}, HeldAt::first_message, 4);
    expect({"refresh", none}, HeldAt::first_message, 4);
    expect({"verify", none}, HeldAt::first_message, 7 + mount);
    expect({"attach", "--container", none}, HeldAt::first_message, 7);
    expect({"doctor"}, HeldAt::first_print, 7 + mount);
    // Two more for each jail of the machine.
    expect({"log", "--follow"}, HeldAt::first_wait, kAnyNumber);
    expect({"watch"}, HeldAt::first_wait, 6);
    expect({"watch", "--log"}, HeldAt::first_wait, kAnyNumber);
}

TEST_CASE("an ordinary user can't look into it") {
    const HeldHook hook({"precreate"}, HeldAt::first_message, [] {
        must(::setresgid(4711, 4711, 4711), "become an ordinary group");
        must(::setresuid(4711, 4711, 4711), "become an ordinary user");
    });
    CHECK(hook.status("CapPrm") == kNone);
    CHECK(hook.status("NoNewPrivs") == "1");
    struct stat info {};
    REQUIRE(::stat(hook.path("environ").c_str(), &info) == 0);
    CHECK(info.st_uid == 0);  // as of a process that can't be dumped (proc(5))
}

}  // namespace
}  // namespace jail_ai::test
