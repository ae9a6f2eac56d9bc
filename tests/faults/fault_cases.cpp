// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Each system call of the hook, of its prober and of what that starts, fails once, is cut short,
// lasts until the deadline, or is where the process is killed. What a container may be by then:
//
//   same jail   the hook said yes, and the jail is that of a run without a fault, byte by byte
//   rejected    the hook didn't, and nothing is attached
//   left        the hook was killed while it attached: programs stay, in the cgroup of a container
//               that no engine starts and whose cgroup it removes
//
// Everything else is a finding: yes without a complete jail, or yes to a container that must be
// rejected. Cases that start with "the suite sees" show that it would be seen.
//
// JAIL_AI_FAULTS_STEP=N takes every N-th fault, and JAIL_AI_FAULTS_PART=I/N of those every N-th
// from the I-th on: the same ones each time. JAIL_AI_FAULTS_ONLY=PROCESS:CALL:KIND takes that one.
#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
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
#include "link_events.h"
#include "must.h"
#include "picture.h"
#include "pipe.h"
#include "protocol_reporter.h"
#include "tracer.h"

namespace jail_ai::test {
namespace {

constexpr std::size_t kShownFindings = 10;

// ---- one run

struct Ran {
    Traced traced;
    std::string out;
    std::string err;
};

struct Invocation {
    std::vector<const char*> words;
    std::string directory = "/";
    std::string input;    // on a pipe
    int connection = -1;  // in place of that
};

UniqueFd make_file() {
    return UniqueFd(must(::memfd_create("output", MFD_CLOEXEC), "make a file in memory"));
}

std::string text_of(const UniqueFd& file) {
    std::string text(static_cast<std::size_t>(must(::lseek(file.get(), 0, SEEK_END), "seek")),
                     '\0');
    must(::pread(file.get(), text.data(), text.size(), 0), "read an output");
    return text;
}

[[noreturn]] void become_hook(const Invocation& invocation, int binary, int in, int out, int err,
                              int released) {
    try {
        must(::setns(Laboratory::get().network.host.fd(), CLONE_NEWNET),
             "enter the host's network");
        must(::chdir(invocation.directory.c_str()), "enter the bundle");
        must(::dup2(in, 0), "hand over standard input");
        must(::dup2(out, 1), "hand over standard output");
        must(::dup2(err, 2), "hand over standard error");
        std::vector<const char*> arguments{"jail-ai-hook"};
        arguments.insert(arguments.end(), invocation.words.begin(), invocation.words.end());
        arguments.push_back(nullptr);
        const char* environment[] = {nullptr};
        await_tracer(released);
        ::fexecve(binary, const_cast<char**>(arguments.data()), const_cast<char**>(environment));
    } catch (const std::exception&) {
        ::_exit(124);
    }
    ::_exit(125);
}

Ran run(const Invocation& invocation, const std::optional<Fault>& fault, int binary) {
    Laboratory::get().dev.drain_log();
    Pipe in, release;
    const UniqueFd out = make_file(), err = make_file();
    const std::string& input = invocation.input;
    if (must(::write(in.writer.get(), input.data(), input.size()), "write the input") !=
        static_cast<ssize_t>(input.size()))
        throw std::logic_error("the input does not fit into a pipe");
    in.writer.reset();
    const pid_t pid = must(::fork(), "start the hook");
    if (pid == 0)
        become_hook(invocation, binary,
                    invocation.connection >= 0 ? invocation.connection : in.reader.get(), out.get(),
                    err.get(), release.reader.get());
    Ran ran{trace(pid, release.writer.get(), fault), {}, {}};
    ran.out = text_of(out);
    ran.err = text_of(err);
    return ran;
}

Ran run(const Invocation& invocation, const std::optional<Fault>& fault) {
    return run(invocation, fault, Laboratory::get().hook.fd());
}

// ---- what came of it

enum class Verdict { same_jail, rejected, left, finding };

struct Judgement {
    Verdict verdict;
    std::string why;
};

// What stayed goes, for the next run.
void clear(const TestCgroup& cgroup) {
    const auto detached = detach_jail(cgroup.fd());
    if (!detached) throw std::runtime_error(detached.error().message);
    std::string left;
    for (const std::string& name : names_of(attachments(cgroup.fd()))) left += " " + name;
    if (!left.empty()) throw std::runtime_error("programs that detach leaves:" + left);
}

bool may_leave_programs(const std::optional<Fault>& fault) {
    return fault && fault->kind == Kind::killed && fault->process == 0;
}

// Lines that one of them lacks, "- " and "+ ", none longer than anybody reads.
std::string difference(const std::string& before, const std::string& after) {
    constexpr std::size_t kShown = 300;
    const auto lines_of = [](const std::string& text) {
        std::istringstream lines(text);
        std::multiset<std::string> all;
        for (std::string line; std::getline(lines, line);) all.insert(line);
        return all;
    };
    const auto old = lines_of(before), now = lines_of(after);
    std::string text;
    for (const std::string& line : old)
        if (!now.contains(line)) text += "- " + line.substr(0, kShown) + "; ";
    for (const std::string& line : now)
        if (!old.contains(line)) text += "+ " + line.substr(0, kShown) + "; ";
    return text;
}

// `jail`: what it must be after a yes; empty where there must be none.
Judgement judge(bool says_yes, const std::string& picture, const std::string& jail,
                const std::optional<Fault>& fault) {
    if (says_yes && jail.empty()) return {Verdict::finding, "yes to what must be rejected"};
    if (says_yes && picture == jail) return {Verdict::same_jail, {}};
    if (says_yes && picture.empty()) return {Verdict::finding, "yes without a jail"};
    if (says_yes) return {Verdict::finding, "yes with another jail: " + difference(jail, picture)};
    if (picture.empty()) return {Verdict::rejected, {}};
    if (may_leave_programs(fault)) return {Verdict::left, {}};
    return {Verdict::finding, "no, and programs stay attached"};
}

// One way to call the hook, again and again from the same state.
struct Subject {
    std::string name;
    Verdict without_fault;
    std::function<std::pair<Judgement, Ran>(const std::optional<Fault>& fault)> try_once;
};

int number_after(const char* text, char before, int otherwise) {
    const char* const at = text == nullptr ? nullptr : std::strchr(text, before);
    return at == nullptr ? otherwise : std::atoi(at + 1);
}

// "PROCESS:CALL:KIND", to look at one
bool is_the_one(const Fault& fault, const std::string& wanted) {
    return wanted == std::to_string(fault.process) + ":" + std::to_string(fault.call) + ":" +
                         name_of(fault.kind);
}

// The faults of this process's part.
class Choice {
public:
    bool takes(const Fault& fault) {
        if (only_ != nullptr) return is_the_one(fault, only_);
        const int number = next_++;
        return number % step_ == 0 && number / step_ % parts_ == part_;
    }

private:
    int parts_ = number_after(std::getenv("JAIL_AI_FAULTS_PART"), '/', 1);
    int part_ = parts_ == 1 ? 0 : std::atoi(std::getenv("JAIL_AI_FAULTS_PART"));
    int step_ = std::getenv("JAIL_AI_FAULTS_STEP") == nullptr
                    ? 1
                    : std::atoi(std::getenv("JAIL_AI_FAULTS_STEP"));
    const char* only_ = std::getenv("JAIL_AI_FAULTS_ONLY");
    int next_ = 0;
};

struct Tally {
    std::map<Verdict, int> verdicts;
    int runs = 0;
    int missed = 0;  // didn't come to the call
    std::vector<std::string> findings;
};

std::string last_line(const std::string& text) {
    const std::string lines = text.substr(0, text.find_last_not_of('\n') + 1);
    return lines.substr(lines.rfind('\n') + 1);
}

void try_one(const Subject& subject, const Fault& fault, Tally& tally) {
    const auto [judgement, ran] = subject.try_once(fault);
    ++tally.runs;
    ++tally.verdicts[judgement.verdict];
    tally.missed += ran.traced.injected ? 0 : 1;
    if (judgement.verdict != Verdict::finding && !ran.traced.hung) return;
    tally.findings.push_back(
        std::string(name_of(fault.kind)) + " at " +
        (ran.traced.injected ? name_of_call(ran.traced.number) : "nothing") + " (process " +
        std::to_string(fault.process) + ", call " + std::to_string(fault.call) +
        "): " + (ran.traced.hung ? "it does not end" : judgement.why) + "; " + last_line(ran.err));
}

void show(const std::string& name, const std::vector<Call>& calls, Tally& tally, double seconds) {
    int processes = 0;
    for (const Call& call : calls) processes = std::max(processes, call.process + 1);
    std::printf(
        "# faults: %s: %zu calls of %d processes, %d runs: %d same jail, %d rejected, %d left, %d "
        "findings, %d didn't come to the call; %.0f s\n",
        name.c_str(), calls.size(), processes, tally.runs, tally.verdicts[Verdict::same_jail],
        tally.verdicts[Verdict::rejected], tally.verdicts[Verdict::left],
        tally.verdicts[Verdict::finding], tally.missed, seconds);
    std::fflush(stdout);
}

template <typename Each>
void for_each_fault(const std::vector<Call>& calls, Each&& each) {
    for (const Call& call : without_long_rows(calls))
        for (const auto& [kind, name] : kKinds)
            if (can_happen(kind, call)) each(Fault{call.process, call.call, kind});
}

// What a jail is made from does not change meanwhile.
void settle_network() {
    const Visit visit(Laboratory::get().network.container);
    wait_until_link_local("ctr0");
}

void try_all(const Subject& subject) {
    const auto begin = std::chrono::steady_clock::now();
    const auto tried = subject.try_once({});
    const Judgement& first = tried.first;
    const Ran& ran = tried.second;
    INFO(ran.err);
    REQUIRE(first.verdict == subject.without_fault);
    REQUIRE(ran.traced.calls.size() > 20);
    REQUIRE(subject.try_once({}).first.verdict == subject.without_fault);
    Tally tally;
    Choice choice;
    for_each_fault(ran.traced.calls, [&](const Fault& fault) {
        if (choice.takes(fault)) try_one(subject, fault, tally);
    });
    const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
    show(subject.name, ran.traced.calls, tally, lasted.count());
    for (std::size_t i = 0; i < std::min(tally.findings.size(), kShownFindings); ++i)
        FAIL_CHECK(tally.findings[i]);
    CHECK(tally.findings.size() == 0);
    CHECK(tally.missed <= tally.runs / 20);
}

// ---- createRuntime

Invocation create_runtime(const Container& container) {
    return {{"createRuntime"}, container.state.bundle, container.state.json()};
}

std::pair<Judgement, Ran> try_container(const Container& container, const std::string& jail,
                                        const std::optional<Fault>& fault, int binary) {
    Ran ran = run(create_runtime(container), fault, binary);
    const std::string picture = picture_of_jail(container.cgroup.fd());
    const bool says_yes = ran.traced.exit_code == 0;
    auto judgement = judge(says_yes, picture, jail, fault);
    if (judgement.verdict == Verdict::left && !jail.empty()) {
        const Ran again = run(create_runtime(container), {}, binary);
        if (again.traced.exit_code != 0 || picture_of_jail(container.cgroup.fd()) != jail)
            judgement = {Verdict::finding, "a new start doesn't replace what was left"};
    }
    if (!picture.empty()) clear(container.cgroup);
    return {std::move(judgement), std::move(ran)};
}

// The jail of a run of the kind that the other suites judge.
std::string jail_of(const Container& container) {
    settle_network();
    expect_jailed(container.run_hook(), container.cgroup,
                  container.state.id == "shared" ? guard_in_shared_network() : usual_guard());
    std::string picture = picture_of_jail(container.cgroup.fd());
    clear(container.cgroup);
    return picture;
}

Subject subject_of(const std::string& name, const Container& container, std::string jail) {
    const Verdict without = jail.empty() ? Verdict::rejected : Verdict::same_jail;
    return {name, without, [&container, jail = std::move(jail)](const std::optional<Fault>& fault) {
                return try_container(container, jail, fault, Laboratory::get().hook.fd());
            }};
}

TEST_CASE("faults: createRuntime, a container with a network of its own") {
    const Container container;
    try_all(subject_of("createRuntime, own network", container, jail_of(container)));
}

void write_config(const Container& container, const std::string& more,
                  const std::string& process = "", const std::string& mounts = "") {
    create_file(container.state.bundle + "/config.json",
                R"({"ociVersion":"1.0.2","process":{"args":["/x"],"cwd":"/")" + process +
                    R"(},"root":{"path":"rootfs"},"mounts":[)" + mounts + R"(],"linux":{)" + more +
                    "}}");
}

constexpr const char* kClosed = R"("seccomp":{"defaultAction":"SCMP_ACT_ERRNO"})";

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
        {"a stranger in its cgroup", add_a_stranger}};
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
        auto judgement = judge(says_yes, says_yes ? without_mark(picture) : picture, jail, fault);
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
