// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Containers that can't be protected: their process, their cgroup and their network. The hook
// refuses each for its own reason, attaches nothing, and takes the same container once the reason
// is gone.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "expect.h"
#include "files.h"
#include "kernel_bpf.h"
#include "must.h"
#include "netlink.h"

namespace jail_ai::test {
namespace {

HookOutcome run_with(const Container& container, const std::function<void()>& before_exec) {
    HookCall call = container.call();
    call.before_exec = before_exec;
    return Laboratory::get().hook.run(call);
}

int call_oneself(const char* name) {
    return ::prctl(PR_SET_NAME, name);
}

TEST_CASE("a pid of no process") {
    Container container;
    pid_t gone;
    {
        const Child child({});
        gone = child.pid();
    }
    HookCall call = container.call();
    State state = container.state;
    state.pid = std::to_string(gone);
    call.state = state.json();
    expect_refused(Laboratory::get().hook.run(call), EX_NOINPUT,
                   "process " + state.pid + " does not exist", container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("a process that has ended and isn't reaped") {
    Container container;
    container.init.kill();
    expect_refused(container.run_hook(), EX_NOINPUT,
                   "process " + container.state.pid + " has ended", container.cgroup);
}

TEST_CASE("a second process in the container's cgroup") {
    Container container;
    Child second({.cgroup = &container.cgroup});
    expect_refused(container.run_hook(), EX_CONFIG,
                   "holds process " + std::to_string(second.pid()) + ", not only the container's",
                   container.cgroup);
    second.end();
    expect_jailed(container.run_hook(), container.cgroup);
}

// As CRIU is there while a container is restored: a child of whoever calls the hook.
TEST_CASE("a restored container's restorer in its cgroup") {
    Container container;
    Child restorer({.cgroup = &container.cgroup});
    restorer.run([] {
        call_oneself("criu");
        if (::fork() == 0)
            while (true) ::pause();
        return 0;
    });
    Child second({.cgroup = &container.cgroup});
    expect_refused(container.run_hook(), EX_CONFIG,
                   "holds process " + std::to_string(second.pid()) + ", not only the container's",
                   container.cgroup);
    second.end();
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("what a container holds while it is restored is the restorer's") {
    Container container;
    REQUIRE(container.init.run([] { return ::open("/", O_RDONLY | O_DIRECTORY); }) >= 0);
    expect_refused(container.run_hook(), EX_CONFIG, "is a directory from outside",
                   container.cgroup);
    Child restorer({.cgroup = &container.cgroup});
    restorer.run([] { return call_oneself("criu"); });
    expect_jailed(container.run_hook(), container.cgroup);
}

// A descriptor of a path alone (O_PATH) is enough for connect(2), by /proc/self/fd.
TEST_CASE("the path of a Unix socket from outside") {
    Container container;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    (container.state.bundle + "/socket").copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(container.init.run([=] {
        const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
            return -1;
        return ::open(name.sun_path, O_PATH);
    }) >= 0);
    expect_refused(container.run_hook(), EX_CONFIG, "is the path of a Unix socket from outside",
                   container.cgroup);
}

TEST_CASE("another container's restorer in the container's cgroup") {
    Container container;
    Child starter({});
    const pid_t restorer = starter.run([] {
        const pid_t pid = ::fork();
        if (pid == 0 && call_oneself("criu") == 0)
            while (true) ::pause();
        return pid;
    });
    container.cgroup.add(restorer);
    expect_refused(container.run_hook(), EX_CONFIG,
                   "holds process " + std::to_string(restorer) + ", not only the container's",
                   container.cgroup);
}

TEST_CASE("a process in a child of the container's cgroup") {
    Container container;
    const TestCgroup below(container.cgroup, "below");
    Child second({.cgroup = &below});
    expect_refused(container.run_hook(), EX_CONFIG,
                   "holds process " + std::to_string(second.pid()) + " below it", container.cgroup);
    CHECK(attachments(below.fd()).empty());
    second.end();
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("the root cgroup") {
    const std::string path = cgroup2_mount();
    const UniqueFd root(
        must(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + path));
    const std::vector<Attachment> before = attachments(root.get());
    Container container;  // for its bundle
    Child child({.network = &Laboratory::get().network.container,
                 .container_namespaces = true,
                 .cgroup_directory = root.get()});
    HookCall call = container.call();
    State state = container.state;
    state.pid = std::to_string(child.pid());
    call.state = state.json();
    expect_refusal(Laboratory::get().hook.run(call), EX_CONFIG, "cgroup '/' is the root cgroup");
    CHECK((attachments(root.get()) == before));
    for (const auto& each : jail_attachments(root.get()))
        detach_by_id(root.get(), each.type, each.id);  // not on this machine
    container.cgroup.add(child.pid());
    container.init.end();
    expect_jailed(Laboratory::get().hook.run(call), container.cgroup);
}

TEST_CASE("the cgroup that the hook itself is in") {
    Container container;
    HookCall call = container.call();
    call.cgroup = &container.cgroup;
    expect_refused(Laboratory::get().hook.run(call), EX_CONFIG, "is the hook's own",
                   container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("a cgroup above the one that the hook is in") {
    Container container;
    const TestCgroup below(container.cgroup, "below");
    HookCall call = container.call();
    call.cgroup = &below;
    expect_refused(Laboratory::get().hook.run(call), EX_CONFIG, "holds the hook", container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("a cgroup beside the one that the hook is in, named alike, is no reason") {
    const TestCgroup parent;
    Container container({.parent = &parent});
    const TestCgroup alike(parent, "container2");
    HookCall call = container.call();
    call.cgroup = &alike;
    expect_jailed(Laboratory::get().hook.run(call), container.cgroup);
}

TEST_CASE("a cgroup outside of the hook's cgroup namespace") {
    Container container;
    const TestCgroup elsewhere;
    HookCall call = container.call();
    call.cgroup = &elsewhere;
    call.before_exec = [] { must(::unshare(CLONE_NEWCGROUP), "make a cgroup namespace"); };
    expect_refused(Laboratory::get().hook.run(call), EX_CONFIG,
                   "outside of the hook's cgroup namespace", container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("a host with more local routes than a jail holds") {
    const NetworkNamespace crowded;
    {
        // Every other address, so that no shorter prefix could stand for several.
        std::vector<IpPrefix> routes;
        for (int i = 0; i <= JAIL_MAX_RULES; i++)
            routes.push_back(parse_prefix("10.99." + std::to_string(i / 128) + "." +
                                          std::to_string(2 * (i % 128)) + "/32"));
        const Visit visit(crowded);
        Netlink().add_local_routes(routes);
    }
    Container container;
    HookCall call = container.call();
    call.network = &crowded;
    expect_refused(Laboratory::get().hook.run(call), EX_UNAVAILABLE, "too many local routes",
                   container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

struct BadBundle {
    const char* name;
    void (*spoil)(const std::string& bundle);
    int exit_code;
    const char* part;
};

std::string config_with_hosts(const std::string& source) {
    return R"({"ociVersion":"1.0.2","mounts":[{"destination":"/etc/hosts","type":"bind","source":")" +
           source + R"("}]})";
}

void rename_config(const std::string& bundle) {
    must(::rename((bundle + "/config.json").c_str(), (bundle + "/config").c_str()),
         "rename config.json");
}

const BadBundle kBadBundles[] = {
    {"without config.json", rename_config, EX_NOINPUT, "config.json"},
    {"with an empty config.json",
     [](const std::string& bundle) { create_file(bundle + "/config.json", ""); }, EX_DATAERR,
     "empty, not a JSON object"},
    {"with a config.json cut short",
     [](const std::string& bundle) { create_file(bundle + "/config.json", R"({"mounts":[)"); },
     EX_DATAERR, "not JSON"},
    {"with a config.json of another shape",
     [](const std::string& bundle) { create_file(bundle + "/config.json", R"({"mounts":{}})"); },
     EX_DATAERR, "'mounts' is an object, not an array"},
    {"with a fifo for config.json",
     [](const std::string& bundle) {
         rename_config(bundle);
         must(::mkfifo((bundle + "/config.json").c_str(), 0644), "make a fifo");
     },
     EX_DATAERR, "config.json"},
    {"with a directory for a hosts file",
     [](const std::string& bundle) {
         create_file(bundle + "/config.json", config_with_hosts(bundle + "/rootfs"));
     },
     EX_DATAERR, "/etc/hosts"},
};

TEST_CASE("a bundle") {
    for (const BadBundle& bad : kBadBundles) {
        SUBCASE(bad.name) {
            guarded([&] {
                Container container;
                const Container whole;
                bad.spoil(container.state.bundle);
                expect_refused(container.run_hook(), bad.exit_code, bad.part, container.cgroup);
                container.state.bundle = whole.state.bundle;
                expect_jailed(container.run_hook(), container.cgroup);
            });
        }
    }
}

TEST_CASE("a bundle that isn't there") {
    Container container;
    HookCall call = container.call();
    State state = container.state;
    state.bundle = "/dev/no-such-bundle";
    call.state = state.json();
    expect_refused(Laboratory::get().hook.run(call), EX_NOINPUT,
                   "open bundle '/dev/no-such-bundle'", container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

// Puts another log in the place of /dev/log, for the hook alone.
std::function<void()> with_log(const std::string& path) {
    return [path] {
        must(::unshare(CLONE_NEWNS), "make a mount namespace");
        must(::mount(path.c_str(), "/dev/log", nullptr, MS_BIND, nullptr), "cover /dev/log");
    };
}

TEST_CASE("a log that isn't there is no reason to keep quiet on stderr") {
    Container container;
    container.init.kill();
    const HookOutcome outcome = run_with(container, with_log("/dev/null"));
    CHECK(outcome.exit_code == EX_NOINPUT);
    CHECK(outcome.err.starts_with("jail-ai-hook: rejected: "));
    CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
    CHECK(outcome.log.empty());
}

TEST_CASE("a log whose reader has stopped doesn't stop the hook") {
    const std::string path = "/dev/full-log";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const UniqueFd log(must(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a log socket"));
    must(::bind(log.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
         "bind a log socket");
    const UniqueFd writer(must(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                               "open a writer's socket"));
    must(::connect(writer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
         "connect to the log");
    while (::send(writer.get(), "x", 1, 0) == 1) continue;
    CHECK(error_name(errno) == "EAGAIN");

    Container container;
    expect_jailed(run_with(container, with_log(path)), container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
