// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Each system call of createRuntime, precreate and the broker fails (see matrix.h), for containers
// that may start and for such that must be rejected. Cases that start with "the suite sees" show
// that what must not be would be seen. The guard's part is in guard_cases.cpp.
#include <sys/socket.h>  // which older <linux/vm_sockets.h> does not include

#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "broker/protocol.h"
#include "broker_run.h"
#include "container.h"
#include "expect.h"
#include "files.h"
#include "jail/attachment.h"
#include "kernel_bpf.h"
#include "matrix.h"
#include "must.h"
#include "picture.h"
#include "protocol_reporter.h"
#include "tracer.h"

namespace jail_ai::test {
namespace {

constexpr const char* kClosed = R"("seccomp":{"defaultAction":"SCMP_ACT_ERRNO"})";

TEST_CASE("faults: createRuntime, a container with a network of its own") {
    const Container container;
    try_all(subject_of("createRuntime, own network", container, jail_of(container)));
}

TEST_CASE("faults: createRuntime, a container in the host's network, with mounts to come") {
    Container container({.network = &Laboratory::get().network.host});
    container.state.id = "shared";
    const std::string directory = Laboratory::get().dev.make_directory();
    write_config(container, R"("namespaces":[{"type":"pid"},{"type":"mount"},{"type":"cgroup"}])",
                 "", R"({"destination":"/data","type":"bind","source":")" + directory + R"("})");
    const HookOutcome outcome = container.run_hook();
    const std::string jail = picture_of_jail(container.cgroup.fd());
    INFO(outcome.err);
    REQUIRE(outcome.exit_code == 0);
    REQUIRE(!jail.empty());
    clear(container.cgroup);
    try_all(subject_of("createRuntime, the host's network", container, jail));
}

// ---- what must be rejected

using Spoil = std::function<std::shared_ptr<void>(Container& container)>;

UniqueFd listen_at(const std::string& path) {
    UniqueFd fd(must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    must(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind a socket");
    must(::listen(fd.get(), 1), "listen");
    return fd;
}

std::shared_ptr<void> hold(UniqueFd fd) {
    return std::make_shared<UniqueFd>(std::move(fd));
}

std::string engines_directory(std::shared_ptr<void>& held) {
    const std::string directory = Laboratory::get().dev.make_directory();
    held = hold(listen_at(directory + "/podman.sock"));
    return directory;
}

std::shared_ptr<void> share_socket_to_come(Container& container) {
    std::shared_ptr<void> held;
    write_config(
        container, kClosed, "",
        R"({"destination":"/engine","type":"bind","source":")" + engines_directory(held) + R"("})");
    return held;
}

std::shared_ptr<void> share_socket(Container& container) {
    std::shared_ptr<void> held;
    struct Paths {
        char rootfs[128];
        char engine[128];
    } paths{};
    (container.state.bundle + "/rootfs").copy(paths.rootfs, sizeof paths.rootfs - 1);
    engines_directory(held).copy(paths.engine, sizeof paths.engine - 1);
    make_directory(std::string(paths.rootfs) + "/engine");
    container.init.run([=] {
        const std::string inside = std::string(paths.rootfs) + "/engine";
        must(::mount(paths.rootfs, paths.rootfs, nullptr, MS_BIND, nullptr), "mount the root");
        must(::mount(paths.engine, inside.c_str(), nullptr, MS_BIND, nullptr), "share a socket");
        return 0;
    });
    return held;
}

std::shared_ptr<void> open_a_directory(Container& container) {
    container.init.run([] { return ::open("/", O_RDONLY | O_DIRECTORY); });
    return {};
}

std::shared_ptr<void> add_a_stranger(Container& container) {
    return std::make_shared<Child>(Whereabouts{.cgroup = &container.cgroup});
}

std::shared_ptr<void> add_a_capability(Container& container) {
    write_config(container, kClosed, R"(,"capabilities":{"bounding":["CAP_NET_ADMIN"]})");
    return {};
}

// Rejected once everything is attached.
std::shared_ptr<void> freeze(Container& container) {
    write_file("cgroup.freeze", "1", container.cgroup.fd());
    return {};
}

std::shared_ptr<void> mistype(Container& container) {
    container.state.annotations = R"({"jail-ai.block-host":"maybe"})";
    return {};
}

// Where the kernel's loopback transport for vsock is.
std::shared_ptr<void> listen_by_vsock(Container& container) {
    write_config(container, R"("namespaces":[{"type":"pid"}])");
    UniqueFd fd(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_vm name{};
    name.svm_family = AF_VSOCK;
    name.svm_cid = VMADDR_CID_LOCAL;
    name.svm_port = VMADDR_PORT_ANY;
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        ::listen(fd.get(), 1) != 0)
        return {};
    return hold(std::move(fd));
}

void must_be_rejected(const std::string& name, Container& container, const Spoil& spoil) {
    const auto held = spoil(container);
    try_all(subject_of(name, container, ""));
    CHECK(attachments(container.cgroup.fd()).empty());
}

TEST_CASE("faults: createRuntime, containers that must be rejected") {
    const std::pair<const char*, Spoil> rows[] = {
        {"a mistyped value", mistype},
        {"CAP_NET_ADMIN", add_a_capability},
        {"an engine's socket, to be mounted", share_socket_to_come},
        {"an engine's socket, mounted", share_socket},
        {"a descriptor of the host's root", open_a_directory},
        {"a stranger in its cgroup", add_a_stranger},
        {"a frozen cgroup", freeze}};
    for (const auto& [name, spoil] : rows) SUBCASE(name) {
            Container container;
            must_be_rejected(name, container, spoil);
        }
}

TEST_CASE("faults: createRuntime, a container that sees the host's processes must be rejected") {
    Container container;
    Child init({.cgroup = &container.cgroup, .network = &Laboratory::get().network.container});
    container.init.end();
    container.state.pid = std::to_string(init.pid());
    write_config(container, std::string(kClosed) + R"(,"namespaces":[{"type":"mount"}])");
    try_all(subject_of("the host's PID namespace", container, ""));
}

TEST_CASE(
    "faults: createRuntime, a container that could reach a listener by vsock must be rejected") {
    Container container;
    const auto listener = listen_by_vsock(container);
    if (!listener) SKIP_CASE("this kernel has no loopback for vsock");
    try_all(subject_of("a listener on vsock", container, ""));
}

// ---- the broker

constexpr uid_t kUser = 1234;

// The mark goes once the answer is out (jail/pending.h): if that fails, or the process is killed
// before, it stays beside a jail that is complete.
std::string without_mark(const std::string& picture) {
    std::string rest;
    std::istringstream lines(picture);
    for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("program jail_pending ")) rest += line + "\n";
    return rest;
}

class BrokersContainer {
public:
    BrokersContainer() : user_namespace(make_user_namespace(kUser)), user(Whereabouts{}) {
        settle_network();
        if (!user_namespace) return;
        must(::chown(delegated.path().c_str(), kUser, kUser), "delegate a cgroup");
        container.emplace(
            Container::Options{.parent = &delegated, .user_namespace = user_namespace.get()});
        user.run([] {
            must(::setresgid(kUser, kUser, kUser), "become the user's group");
            must(::setresuid(kUser, kUser, kUser), "become the user");
            return 0;
        });
    }

    // One request, and what the kernel shows after its answer.
    std::pair<Judgement, Ran> ask(const std::string& jail, const std::optional<Fault>& fault) {
        struct Ends {
            int ours, theirs;
        };
        const Ends ends = user.run([] {
            int fds[2];
            must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "connect");
            return Ends{fds[0], fds[1]};
        });
        const UniqueFd process = pidfd_of(user.pid());
        const auto take = [&](int fd) {
            return UniqueFd(static_cast<int>(
                must(::syscall(SYS_pidfd_getfd, process.get(), fd, 0), "take a descriptor")));
        };
        const UniqueFd ours = take(ends.ours);
        const UniqueFd theirs = take(ends.theirs);
        user.run([=] { return ::close(ends.ours) + ::close(ends.theirs); });
        send_request(ours.get());
        Ran ran = run({{"broker"}, "/", "", theirs.get()}, fault);
        char text[512];
        const ssize_t got = ::recv(ours.get(), text, sizeof text, MSG_DONTWAIT);
        ran.out.assign(text, got > 0 ? static_cast<std::size_t>(got) : 0);
        const std::string picture = picture_of_jail(container->cgroup.fd());
        const bool says_yes = ran.out.starts_with("yes ");
        auto judgement =
            judge(says_yes, says_yes ? without_mark(picture) : picture, jail, fault, ran.err);
        ran.err += ran.out;
        if (!picture.empty()) clear(container->cgroup);
        return {std::move(judgement), std::move(ran)};
    }

    UniqueFd user_namespace;
    TestCgroup delegated;
    std::optional<Container> container;
    Child user;

private:
    void send_request(int connection) const {
        const Message message = message_for(*container);
        const std::string bytes = encode_message(message).value();
        const UniqueFd pidfd = pidfd_of(container->init.pid());
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
        iovec vector{const_cast<char*>(bytes.data()), kHeaderBytes};
        msghdr header{};
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* const part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = pidfd.get();
        std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
        must(::sendmsg(connection, &header, MSG_NOSIGNAL), "send a header");
        const std::string body = bytes.substr(kHeaderBytes);
        must(::send(connection, body.data(), body.size(), MSG_NOSIGNAL), "send a body");
    }
};

// The broker jails the container once, by itself; its answer is a yes only then.
std::string brokers_jail(BrokersContainer& subject) {
    std::string jail;
    const auto asked = subject.ask("-", {});
    const Judgement& judgement = asked.first;
    const Ran& ran = asked.second;
    INFO(ran.err);
    REQUIRE(ran.out.starts_with("yes "));
    REQUIRE(judgement.why.starts_with("yes with another jail"));
    // What ask() has cleared away, made again by the hook for root: the same, but for who asks.
    expect_jailed(subject.container->run_hook(), subject.container->cgroup);
    jail = picture_of_jail(subject.container->cgroup.fd());
    clear(subject.container->cgroup);
    return jail;
}

TEST_CASE("faults: the broker, one request") {
    BrokersContainer subject;
    if (!subject.container) SKIP_CASE("no user namespaces for users here");
    const std::string jail = brokers_jail(subject);
    try_all({"broker", Verdict::same_jail,
             [&](const std::optional<Fault>& fault) { return subject.ask(jail, fault); }});
}

TEST_CASE("faults: the broker, a container that must be rejected") {
    BrokersContainer subject;
    if (!subject.container) SKIP_CASE("no user namespaces for users here");
    open_a_directory(*subject.container);
    try_all({"broker, a descriptor of the host's root", Verdict::rejected,
             [&](const std::optional<Fault>& fault) { return subject.ask("", fault); }});
}

// ---- precreate

TEST_CASE("faults: precreate, which gives back what it gives without a fault, or fails") {
    const std::string config =
        R"({"annotations":{"jail-ai.block-host":"true"},"process":{"capabilities":{"bounding":["CAP_NET_RAW"]}},"linux":{}})";
    const Invocation invocation{{"precreate"}, "/", config};
    const Ran usual = run(invocation, {});
    REQUIRE(usual.traced.exit_code == 0);
    REQUIRE(usual.out.find("CAP_NET_RAW") == std::string::npos);
    try_all({"precreate", Verdict::same_jail, [&](const std::optional<Fault>& fault) {
                 Ran ran = run(invocation, fault);
                 Judgement judgement{Verdict::rejected, {}};
                 if (ran.traced.exit_code == 0 && ran.out == usual.out)
                     judgement.verdict = Verdict::same_jail;
                 else if (ran.traced.exit_code == 0)
                     judgement = {Verdict::finding, "another config.json"};
                 return std::pair(std::move(judgement), std::move(ran));
             }});
}

// ---- that the suite sees what it looks for

// ENOENT means that there is no such thing: a hook that takes other failures for that answers to
// them as this one does to it.
TEST_CASE("the suite sees a container start that must be rejected") {
    Container container;
    const auto held = share_socket(container);
    const auto [first, ran] = try_container(container, "", {}, Laboratory::get().hook.fd());
    REQUIRE(first.verdict == Verdict::rejected);
    int findings = 0;
    for (const Call& call : ran.traced.calls) {
        if (call.process != 0 || name_of_call(call.number) != "newfstatat") continue;
        const auto [judgement, its] =
            try_container(container, "", Fault{call.process, call.call, Kind::enoent},
                          Laboratory::get().hook.fd());
        findings += judgement.why == "yes to what must be rejected" ? 1 : 0;
    }
    CHECK(findings > 0);
}

TEST_CASE("the suite sees a hook that says yes and does nothing") {
    const Container container;
    const std::string jail = jail_of(container);
    const UniqueFd sham(must(::open("/bin/true", O_RDONLY | O_CLOEXEC), "open /bin/true"));
    CHECK(try_container(container, jail, {}, sham.get()).first.why == "yes without a jail");
    const UniqueFd refuses(must(::open("/bin/false", O_RDONLY | O_CLOEXEC), "open /bin/false"));
    CHECK(try_container(container, jail, {}, refuses.get()).first.verdict == Verdict::rejected);
}

void add_rule(const Attachment& program) {
    for (const std::uint32_t id : maps_of(program.id)) {
        const UniqueFd map(must(::bpf_map_get_fd_by_id(id), "open a map"));
        bpf_map_info info{};
        std::uint32_t size = sizeof info;
        must(::bpf_obj_get_info_by_fd(map.get(), &info, &size), "ask what a map is");
        if (std::string_view(info.name) != "jail_rules") continue;
        const jail_key key{.prefix_bits = 128, .addr = {0x20, 1, 0xd, 0xb8}};
        const jail_rule rule{};
        must(::bpf_map_update_elem(map.get(), &key, &rule, BPF_ANY), "add a rule");
    }
}

TEST_CASE("the suite sees a jail that lacks a program, or has another rule") {
    const Container container;
    const std::string jail = jail_of(container);
    expect_jailed(container.run_hook(), container.cgroup);
    CHECK(picture_of_jail(container.cgroup.fd()) == jail);
    const Attachment one = attachments(container.cgroup.fd()).front();
    add_rule(one);
    const std::string other = picture_of_jail(container.cgroup.fd());
    CHECK(judge(true, other, jail, {}).why.starts_with("yes with another jail"));
    clear(container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
    const Attachment front = attachments(container.cgroup.fd()).front();
    REQUIRE(detach_by_id(container.cgroup.fd(), front.type, front.id) == 0);
    const std::string torn = picture_of_jail(container.cgroup.fd());
    CHECK(judge(true, torn, jail, {}).why.starts_with("yes with another jail"));
    CHECK(judge(false, torn, jail, {}).why == "no, and programs stay attached");
    clear(container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
