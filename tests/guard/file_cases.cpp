// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// file_receive: what is no socket and leads out of the jail doesn't come in either, whoever fetches
// or sends it: what the hook rejects among the descriptors that a container starts with.
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "files.h"
#include "must.h"
#include "netlink.h"
#include "rig.h"

namespace jail_ai::test {
namespace {

int open_path(const char* path) {
    return ::open(path, O_RDONLY | O_CLOEXEC);
}

// By its number, since nothing puts a node into /dev here until its driver is there.
int open_device(unsigned major, unsigned minor) {
    char path[] = "/tmp/jail-ai-device-XXXXXX";
    const UniqueFd name(::mkstemp(path));
    if (!name || ::unlink(path) != 0 || ::mknod(path, S_IFCHR | 0600, makedev(major, minor)) != 0)
        return -1;
    const int fd = ::open(path, O_RDWR | O_CLOEXEC);
    const int error = errno;
    ::unlink(path);
    errno = error;
    return fd;
}

// The number that the kernel has given to devices of that name, 0 for none.
unsigned major_of(const char* name) {
    std::istringstream lines(read_file("/proc/devices"));
    unsigned number = 0;
    std::string found;
    for (std::string line; std::getline(lines, line);)
        if (std::istringstream(line) >> number >> found && found == name) return number;
    return 0;
}

// In a network namespace of its own, which the child stays in.
int open_macvtap() {
    try {
        must(::unshare(CLONE_NEWNET), "make a network namespace");
        Netlink netlink;
        netlink.add_link("below", "dummy");
        netlink.add_link("tap", "macvtap", interface_index("below"));
    } catch (const std::exception&) {
        errno = ENODEV;
        return -1;
    }
    const unsigned major = major_of("macvtap");
    for (unsigned minor = 0; minor < 64; minor++)
        if (const int fd = open_device(major, minor); fd >= 0) return fd;
    return -1;
}

int open_own_pidfd() {
    return static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
}

int open_ring() {
    io_uring_params parameters{};
    return static_cast<int>(::syscall(SYS_io_uring_setup, 1, &parameters));
}

// The name of a Unix socket in a file system, without the socket: connect(2) takes it by
// /proc/self/fd.
int open_socket_path() {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::snprintf(name.sun_path, sizeof name.sun_path, "/tmp/jail-ai-socket-%d",
                  static_cast<int>(::getpid()));
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        return -1;
    const int fd = ::open(name.sun_path, O_PATH | O_CLOEXEC);
    ::unlink(name.sun_path);
    return fd;
}

// A hierarchy without controllers, which goes with its mount and the descriptor.
int open_cgroup_v1() {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return -1;
    if (::mount("cgroup", "/tmp", "cgroup", 0, "none,name=jail-ai-test") != 0) return -1;
    const int fd = open_path("/tmp/cgroup.procs");
    ::umount2("/tmp", MNT_DETACH);
    return fd;
}

struct Row {
    const char* name;
    int (*open)();  // in a child: a descriptor, or -1 with errno
};

// Wherever they were opened.
const Row kWaysOut[] = {
    {"tun", [] { return open_device(10, 200); }},
    {"vhost-net", [] { return open_device(10, 238); }},
    {"vhost-vsock", [] { return open_device(10, 241); }},
    {"macvtap", open_macvtap},
    {"ppp", [] { return open_device(108, 0); }},
    {"a file of the cgroup file system", [] { return open_path("/sys/fs/cgroup/cgroup.procs"); }},
    {"a directory of it", [] { return open_path("/sys/fs/cgroup"); }},
    {"a file of cgroup v1", open_cgroup_v1},
};

// What leads to elsewhere only where it was opened outside.
const Row kPlaces[] = {
    {"a directory", [] { return open_path("/"); }},
    {"a directory, by path alone", [] { return ::open("/", O_PATH | O_CLOEXEC); }},
    {"a Unix socket's path", open_socket_path},
    {"a file of procfs", [] { return open_path("/proc/self/status"); }},
    {"a process", open_own_pidfd},
};

const Row kHarmless[] = {
    {"a file", [] { return ::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); }},
    {"memory", [] { return static_cast<int>(::memfd_create("test", MFD_CLOEXEC)); }},
    {"an event", [] { return ::eventfd(0, EFD_CLOEXEC); }},
    {"/dev/null", [] { return ::open("/dev/null", O_RDWR | O_CLOEXEC); }},
};

// Opens it and hands it over; 0 or errno.
int hand_over(int channel, int (*open)()) {
    const UniqueFd file(open());
    const int fd = file.get();
    return file ? send_descriptors(channel, &fd, 1) : errno;
}

bool is_missing(int error) {
    return error == ENODEV || error == ENXIO || error == ENOENT;
}

TEST_CASE("files that lead out of the jail don't arrive") {
    NEED_GUARD();
    for (const Row& row : kWaysOut) {
        SUBCASE(row.name) {
            guarded([&] {  // also so that skipping one row leaves those behind it
                Rig rig;
                const int near = rig.channel.near();
                const auto send = [=] { return hand_over(near, row.open); };
                const int error = rig.stranger.run(send);
                if (is_missing(error))
                    SKIP_CASE(std::string("this kernel has none: ") + error_name(error));
                REQUIRE(error_name(error) == "none");
                expect_kept_out(rig, rig.container.init, JAIL_REASON_INHERITED_FILE, 0);
                REQUIRE(error_name(rig.stranger.run(send)) == "none");
                expect_kept_out(rig, rig.nested, JAIL_REASON_INHERITED_FILE, 0);
                REQUIRE(error_name(rig.nested.run(send)) == "none");
                expect_kept_out(rig, rig.container.init, JAIL_REASON_INHERITED_FILE, 0);
                REQUIRE(error_name(rig.nested.run(send)) == "none");
                expect_received(rig, rig.neighbour, 1);
            });
        }
    }
}

TEST_CASE(
    "nor does what leads to other places and processes than the container's, and what leads to its "
    "own does") {
    NEED_GUARD();
    for (const Row& row : kPlaces) {
        SUBCASE(row.name) {
            guarded([&] {
                Rig rig;
                const int near = rig.channel.near();
                const auto send = [=] { return hand_over(near, row.open); };
                REQUIRE(error_name(rig.stranger.run(send)) == "none");
                expect_kept_out(rig, rig.container.init, JAIL_REASON_INHERITED_FILE, 0);
                REQUIRE(error_name(rig.stranger.run(send)) == "none");
                expect_received(rig, rig.neighbour, 1);
                REQUIRE(error_name(rig.container.init.run(send)) == "none");
                expect_received(rig, rig.container.init, 1);
            });
        }
    }
}

TEST_CASE("a process of the container's comes back in as a descriptor from outside") {
    NEED_GUARD();
    Rig rig;
    const int near = rig.channel.near();
    const pid_t inside = rig.container.init.pid();
    const auto send = [=] {
        const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, inside, 0)));
        const int fd = pidfd.get();
        return pidfd ? send_descriptors(near, &fd, 1) : errno;
    };
    REQUIRE(error_name(rig.stranger.run(send)) == "none");
    expect_received(rig, rig.container.init, 1);
}

TEST_CASE("files that lead nowhere are allowed") {
    NEED_GUARD();
    Rig rig;
    const int near = rig.channel.near();
    for (const Row& row : kHarmless) {
        INFO(row.name);
        const auto send = [=] { return hand_over(near, row.open); };
        REQUIRE(error_name(rig.stranger.run(send)) == "none");
        expect_received(rig, rig.container.init, 1);
    }
}

// The same rows, those of the container's own too. Lockdown is for good, so this runs only where a
// machine is made for it (tests/vm/init).
TEST_CASE("on a locked-down kernel, descriptors that can't be checked are denied") {
    NEED_GUARD();
    if (std::getenv("JAIL_AI_LOCK_DOWN") == nullptr)
        SKIP_CASE("this machine is not to be locked down: JAIL_AI_LOCK_DOWN is not set");
    constexpr const char* kLockdown = "/sys/kernel/security/lockdown";
    if (read_file(kLockdown).find("[confidentiality]") == std::string::npos)
        write_file(kLockdown, "confidentiality");
    Rig rig;
    const int near = rig.channel.near();
    for (const Row& row : kPlaces) {
        INFO(row.name);
        const auto send = [=] { return hand_over(near, row.open); };
        for (Child* sender : {&rig.stranger, &rig.container.init}) {
            REQUIRE(error_name(sender->run(send)) == "none");
            expect_kept_out(rig, rig.container.init, JAIL_REASON_INHERITED_FILE, 0);
        }
        REQUIRE(error_name(rig.stranger.run(send)) == "none");
        expect_received(rig, rig.neighbour, 1);
    }
    REQUIRE(error_name(rig.stranger.run([=] { return hand_over(near, kHarmless[0].open); })) ==
            "none");
    expect_received(rig, rig.container.init, 1);
}

// Newer kernels don't pass rings by SCM_RIGHTS at all.
TEST_CASE("a ring of io_uring from outside can't be fetched by pidfd_getfd") {
    NEED_GUARD();
    Rig rig;
    const pid_t stranger = rig.stranger.pid();
    REQUIRE(error_name(rig.stranger.run([] {
                const UniqueFd ring(open_ring());
                return ring && ::dup2(ring.get(), 100) == 100 ? 0 : errno;
            })) == "none");
    const auto fetch = [=] {
        const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, stranger, 0)));
        const UniqueFd ring(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd.get(), 100, 0)));
        return ring ? 0 : errno;
    };
    expect_denied(rig, rig.nested, JAIL_REASON_INHERITED_FILE, fetch);
    expect_allowed(rig, rig.neighbour, fetch);
}

}  // namespace
}  // namespace jail_ai::test
