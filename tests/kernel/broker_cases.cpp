// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The real broker on this kernel: whose containers it jails, with the guard where there is one, and
// what it does with descriptors that lie and with processes that go away meanwhile.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/listener.h"
#include "broker_run.h"
#include "expect.h"
#include "files.h"
#include "jail/attachment.h"
#include "kernel_bpf.h"
#include "must.h"
#include "protocol_reporter.h"
#include "system/cgroup_walk.h"

namespace jail_ai::test {
namespace {

constexpr uid_t kUser = 1234;
constexpr uid_t kOther = 1235;

void expect_yes(const std::string& answer, const Container& container) {
    INFO(answer);
    CHECK(answer.starts_with("yes jailed: denies "));
    CHECK(answer.ends_with("\n"));
    CHECK(answer.find(kernel_has_guard() ? ", guarded," : ", no BPF LSM,") != std::string::npos);
    expect_programs_attached(container.cgroup);
}

void expect_no(const std::string& answer, const std::string& part, const TestCgroup& cgroup) {
    INFO(answer);
    CHECK(answer.starts_with("no "));
    INFO(part);
    CHECK(answer.find(part) != std::string::npos);
    CHECK(names_of(attachments(cgroup.fd())).empty());
}

#define USERS_CONTAINER(name, uid)                                                            \
    const UsersContainer name##s(uid);                                                        \
    if (!name##s.user_namespace) SKIP_CASE(std::string("no user namespaces for users here")); \
    Container& name = const_cast<Container&>(*name##s.container)

TEST_CASE("broker: a user's container is jailed for that user, and the host is out of its reach") {
    USERS_CONTAINER(container, kUser);
    const Asker user(kUser);
    expect_host_reached(container.init);
    expect_yes(BrokerRun(user).ask(message_for(container), {pidfd_of(container.init.pid()).get()}),
               container);
    expect_host_blocked(container.init, container.cgroup);
}

TEST_CASE("broker: what root runs without a user namespace, root may have jailed") {
    Container container;
    const Asker root(0);
    expect_yes(BrokerRun(root).ask(message_for(container), {pidfd_of(container.init.pid()).get()}),
               container);
}

TEST_CASE("broker: a config.json leads it to no file of root's") {
    USERS_CONTAINER(container, kUser);
    // As Docker has them: the name is in a file beside the one that is mounted.
    const std::string directory = container.state.bundle + "/" + container.state.id;
    make_directory(directory);
    create_file(directory + "/config.v2.json",
                fmt::format(R"({{"ID":"{}","Name":"/of-root"}})", container.state.id));
    Message message = message_for(container);
    message.config = fmt::format(
        R"({{"mounts":[{{"destination":"/etc/hosts","type":"bind","source":"{}/hosts"}}]}})",
        directory);
    const Asker user(kUser), again(kUser);
    expect_yes(BrokerRun(user).ask(message, {pidfd_of(container.init.pid()).get()}), container);
    const std::string status = BrokerRun(again).show({{"status", "--json"}, {}});
    INFO(status);
    CHECK(status.find(container.state.id) != std::string::npos);
    CHECK(status.find("of-root") == std::string::npos);
}

TEST_CASE("broker: no client gets another user's container jailed") {
    USERS_CONTAINER(container, kUser);
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    for (const uid_t uid : {kOther, uid_t{0}, uid_t{65534}}) {
        const Asker other(uid);
        expect_no(BrokerRun(other).ask(message_for(container), {pidfd.get()}),
                  "its user namespace is another user's", container.cgroup);
    }
    Container roots;
    const Asker user(kUser);
    expect_no(BrokerRun(user).ask(message_for(roots), {pidfd_of(roots.init.pid()).get()}),
              "it is in no user namespace but the machine's", roots.cgroup);
}

TEST_CASE("broker: a user's process in a cgroup that isn't the user's") {
    const UniqueFd user_namespace = make_user_namespace(kUser);
    if (!user_namespace) SKIP_CASE(std::string("no user namespaces for users here"));
    Container container({.user_namespace = user_namespace.get()});
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    {
        const Asker user(kUser);
        expect_no(BrokerRun(user).ask(message_for(container), {pidfd.get()}), "belongs to uid 1234",
                  container.cgroup);
    }
    must(::chown(container.cgroup.path().c_str(), kOther, kOther), "delegate a cgroup");
    {
        const Asker user(kUser);
        expect_no(BrokerRun(user).ask(message_for(container), {pidfd.get()}), "belongs to uid 1234",
                  container.cgroup);
    }
    must(::chown(container.cgroup.path().c_str(), kUser, kUser), "delegate a cgroup");
    const Asker user(kUser);
    expect_yes(BrokerRun(user).ask(message_for(container), {pidfd.get()}), container);
}

TEST_CASE(
    "broker: whoever's cgroups can't all be looked at, above the container's or for other jails, "
    "gets no more") {
    USERS_CONTAINER(container, kUser);
    std::vector<std::unique_ptr<TestCgroup>> nested;
    for (std::size_t i = 0; i <= kMaxCgroupDepth; ++i)
        nested.push_back(std::make_unique<TestCgroup>(
            i == 0 ? containers.delegated : *nested.back(), i == 0 ? "nest" : "d"));
    const auto ask = [&] {
        const Asker user(kUser);
        return BrokerRun(user).ask(message_for(container), {pidfd_of(container.init.pid()).get()});
    };
    expect_no(ask(), "nested deeper than 64 levels", container.cgroup);
    write_file("cgroup.procs", std::to_string(container.init.pid()), nested.back()->fd());
    expect_no(ask(), "nested deeper than 64 levels", *nested.back());
    write_file("cgroup.procs", std::to_string(container.init.pid()), container.cgroup.fd());
    while (!nested.empty()) nested.pop_back();
    expect_yes(ask(), container);
}

TEST_CASE("broker: a second request changes nothing, stricter or looser") {
    USERS_CONTAINER(container, kUser);
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    const Asker first(kUser);
    expect_yes(BrokerRun(first).ask(message_for(container), {pidfd.get()}), container);
    const std::vector<Attachment> before = attachments(container.cgroup.fd());
    for (const char* annotations :
         {R"({"jail-ai.block-host":"audit"})", R"({"jail-ai.block-host":"true"})",
          R"({"jail-ai.block-host":"false"})",
          R"({"jail-ai.block-host":"true","jail-ai.block-host.allow":"host:1-65535"})"}) {
        const Asker user(kUser);
        State state = container.state;
        state.annotations = annotations;
        Message message = message_for(container);
        message.state = state.json();
        const std::string answer = BrokerRun(user).ask(message, {pidfd.get()});
        INFO(answer);
        CHECK(answer.find("is jailed already") != std::string::npos);
        CHECK((attachments(container.cgroup.fd()) == before));
    }
    expect_host_blocked(container.init, container.cgroup);
}

TEST_CASE("broker: the unit's settings hold against the hook's flags and against annotations") {
    USERS_CONTAINER(container, kUser);
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    const auto ask = [&](std::vector<std::string> flags, const std::string& annotations) {
        const Asker user(kUser);
        State state = container.state;
        state.annotations = annotations;
        Message message = message_for(container);
        message.state = state.json();
        message.flags = std::move(flags);
        return BrokerRun(user, {"--block-host=true", "--enforce"}).ask(message, {pidfd.get()});
    };
    const std::string plain = R"({"jail-ai.block-host":"true"})";
    for (const std::string& answer :
         {ask({"--allow=host:80"}, plain), ask({"--block-host=audit"}, plain),
          ask({"--block-host=false"}, plain), ask({"--on-failure=run"}, plain),
          ask({}, R"({"jail-ai.block-host":"audit"})"),
          ask({}, R"({"jail-ai.block-host":"true","jail-ai.block-host.accept":"host-pid"})")}) {
        INFO(answer);
        CHECK(answer.starts_with("never 65 "));
        CHECK(answer.find("loosen what is enforced on this machine") != std::string::npos);
        CHECK(names_of(attachments(container.cgroup.fd())).empty());
    }
    expect_yes(ask({"--also=private"}, plain), container);
}

TEST_CASE("broker: descriptors that are no pidfd, none, and several") {
    USERS_CONTAINER(container, kUser);
    const UniqueFd memory(::memfd_create("pidfd:[1]", MFD_CLOEXEC));
    const UniqueFd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    const UniqueFd path(::open("/proc/self", O_PATH | O_CLOEXEC));
    const UniqueFd event(::eventfd(0, EFD_CLOEXEC));
    for (const int fd :
         {memory.get(), file.get(), path.get(), event.get(), container.cgroup.fd()}) {
        const Asker user(kUser);
        expect_no(BrokerRun(user).ask(message_for(container), {fd}),
                  "65 the descriptor is not a pidfd", container.cgroup);
    }
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    const Asker silent(kUser);
    expect_no(BrokerRun(silent).ask(message_for(container), {}), "76 no descriptor came",
              container.cgroup);
    const Asker generous(kUser);
    expect_no(BrokerRun(generous).ask(message_for(container), {pidfd.get(), pidfd.get()}),
              "76 more than one descriptor came", container.cgroup);
    const Asker user(kUser);
    expect_yes(BrokerRun(user).ask(message_for(container), {pidfd.get()}), container);
}

// A request of which the broker has heard the header and proved the container, and waits for more.
struct ProvedRequest {
    explicit ProvedRequest(const Container& container)
        : message(message_for(container)), user(kUser), broker(user) {
        const UniqueFd pidfd = pidfd_of(container.init.pid());
        message.hosts.assign(kMaxPart[kHosts] / 16, '#');
        broker.send_header(message, {pidfd.get()});
        broker.begin_body(message);
        CHECK(names_of(attachments(container.cgroup.fd())).empty());
    }

    Message message;
    Asker user;
    BrokerRun broker;
};

TEST_CASE(
    "broker: the process ends once it is proved, and another gets its number and its cgroup") {
    USERS_CONTAINER(container, kUser);
    ProvedRequest request(container);
    const pid_t pid = container.init.pid();
    container.init.end();
    write_file("/proc/sys/kernel/ns_last_pid", std::to_string(pid - 1));
    Child heir({.cgroup = &container.cgroup, .user_namespace = containers.user_namespace.get()});
    if (heir.pid() != pid) SKIP_CASE(std::string("the number went to somebody else"));
    request.broker.finish_body(request.message);
    expect_no(request.broker.answer(), "66 process " + std::to_string(pid), container.cgroup);
}

TEST_CASE("broker: the process moves once it is proved") {
    USERS_CONTAINER(container, kUser);
    const TestCgroup elsewhere(containers.delegated, "elsewhere");
    ProvedRequest request(container);
    elsewhere.add(container.init.pid());
    request.broker.finish_body(request.message);
    expect_no(request.broker.answer(), "is not where process", container.cgroup);
    CHECK(names_of(attachments(elsewhere.fd())).empty());
}

// As the hook does, while another process of the killed broker's still ends.
std::string ask_until_served(const Message& message, int pidfd) {
    const auto begin = std::chrono::steady_clock::now();
    while (true) {
        const Asker user(kUser);
        std::string answer = BrokerRun(user).ask(message, {pidfd});
        if (!answer.starts_with("no 75 busy: another request for cgroup") ||
            std::chrono::steady_clock::now() - begin > std::chrono::seconds(60))
            return answer;
    }
}

TEST_CASE("broker: killed at whichever program it attaches, the same request again is served") {
    USERS_CONTAINER(container, kUser);
    const Message message = message_for(container);
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    // The one that marks it as pending, those of the jail, and one more that there is not.
    for (std::size_t attached = 0; attached <= programs_of_a_jail(); ++attached) {
        CAPTURE(attached);
        const Asker user(kUser);
        BrokerRun broker(user, {}, BPF_PROG_ATTACH);
        broker.send_header(message, {pidfd.get()});
        broker.send_body(message);
        for (std::size_t done = 0; done < attached; ++done) {
            REQUIRE(broker.await_watched_call());
            broker.let_one_go_on();
        }
        REQUIRE(broker.await_watched_call());
        broker.kill();
        CHECK(attachments(container.cgroup.fd()).size() == attached);
        expect_yes(ask_until_served(message, pidfd.get()), container);
        CHECK(ask_until_served(message, pidfd.get()).find("is jailed already") !=
              std::string::npos);
        REQUIRE(static_cast<bool>(detach_jail(container.cgroup.fd())));
    }
}

TEST_CASE("broker: killed when all is attached, before or after the answer, the request again") {
    USERS_CONTAINER(container, kUser);
    const Message message = message_for(container);
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    const Asker user(kUser);
    BrokerRun broker(user, {}, BPF_PROG_DETACH);  // of the mark, once it has answered
    broker.send_header(message, {pidfd.get()});
    broker.send_body(message);
    REQUIRE(broker.await_watched_call());
    broker.kill();
    CHECK(attachments(container.cgroup.fd()).size() == programs_of_a_jail() + 1);  // and the mark
    expect_yes(ask_until_served(message, pidfd.get()), container);
}

TEST_CASE("broker: what root has jailed anew isn't what a killed broker has left") {
    USERS_CONTAINER(container, kUser);
    const Message message = message_for(container);
    const UniqueFd pidfd = pidfd_of(container.init.pid());
    {
        const Asker user(kUser);
        BrokerRun broker(user, {}, BPF_PROG_DETACH);
        broker.send_header(message, {pidfd.get()});
        broker.send_body(message);
        REQUIRE(broker.await_watched_call());
        broker.kill();
    }
    expect_jailed(Laboratory::get().hook.run(container.call()), container.cgroup);
    CHECK(ask_until_served(message, pidfd.get()).find("is jailed already") != std::string::npos);
}

TEST_CASE("broker: jails count for the person whose the topmost cgroup is, by whichever uid") {
    USERS_CONTAINER(first, kUser);
    const UniqueFd subordinate = make_user_namespace(kOther);
    const TestCgroup room(firsts.delegated, "room");
    must(::chown(room.path().c_str(), kOther, kOther), "give a cgroup away");
    Container second({.parent = &room, .user_namespace = subordinate.get()});
    const auto ask = [](uid_t uid, const Container& container) {
        const Asker asker(uid);
        return BrokerRun(asker, {"--max-jails=1"})
            .ask(message_for(container), {pidfd_of(container.init.pid()).get()});
    };
    expect_yes(ask(kUser, first), first);
    expect_no(ask(kOther, second), "uid 1234 has 1 jails", second.cgroup);
}

TEST_CASE("broker: users are shown the jails in cgroups that were given to them, and no others") {
    USERS_CONTAINER(container, kUser);
    USERS_CONTAINER(others_container, kOther);
    container.state.id = "jail-of-one";
    others_container.state.id = "jail-of-another";
    Container roots;
    roots.state.id = "jail-of-root";
    REQUIRE(roots.run_hook().exit_code == 0);
    const auto shown_to = [](uid_t uid, std::vector<std::string> words,
                             std::vector<ClaimedName> names = {}) {
        const Asker asker(uid);
        return BrokerRun(asker).show({std::move(words), std::move(names)});
    };
    CHECK(shown_to(kUser, {"status", "--json"}) == "[]\n");
    for (const auto& [uid, each] : {std::pair(kUser, &container), {kOther, &others_container}}) {
        const Asker user(uid);
        expect_yes(BrokerRun(user).ask(message_for(*each), {pidfd_of(each->init.pid()).get()}),
                   *each);
    }
    expect_host_blocked(container.init, container.cgroup);

    const std::string status = shown_to(kUser, {"status", "--json"});
    INFO(status);
    CHECK(status.find("jail-of-one") != std::string::npos);
    CHECK(status.find("jail-of-another") == std::string::npos);
    CHECK(status.find("jail-of-root") == std::string::npos);
    CHECK(shown_to(kUser, {"log"}).find("denied") != std::string::npos);
    CHECK(shown_to(kOther, {"log"}) == "nothing denied\n");
    CHECK(shown_to(kOther, {"log", "--json"}).empty());
    CHECK(shown_to(kUser, {"suggest", "jail-of-one"}).find("jail-ai.block-host.allow=") !=
          std::string::npos);

    CHECK(shown_to(kUser, {"status", "jail-of-another"}).starts_with("66: "));
    CHECK(shown_to(kUser, {"status", "no\nsuch"}).starts_with("66: "));
    CHECK(shown_to(kUser, {"status", "--jsom"}).starts_with("64: "));
    CHECK(shown_to(kUser, {"log", "--follow"}).starts_with("77: "));
    CHECK(shown_to(kUser, {"detach", "--all"}).starts_with("64: "));

    const std::string cgroup = container.cgroup.path().substr(cgroup2_mount().size());
    CHECK(shown_to(kUser, {"status", "web"}, {{"jail-of-one", "web", cgroup}}).find("web") !=
          std::string::npos);
    // A name for the jail of another doesn't make it one's own.
    CHECK(shown_to(kUser, {"status", "db"}, {{"jail-of-another", "db", "/"}}).starts_with("66: "));

    const Asker jailed(kUser);
    write_file("cgroup.procs", std::to_string(jailed.pid()), container.cgroup.fd());
    CHECK(BrokerRun(jailed).show({{"status"}, {}}).starts_with("77: process "));
}

TEST_CASE("broker: nothing stays attached if the client has gone before the answer") {
    USERS_CONTAINER(container, kUser);
    const Message message = message_for(container);
    const Asker user(kUser);
    BrokerRun broker(user);
    broker.send_header(message, {pidfd_of(container.init.pid()).get()});
    broker.send_body(message);
    broker.hang_up();
    CHECK(broker.answer() == "");
    CHECK(names_of(attachments(container.cgroup.fd())).empty());
}

TEST_CASE("broker: a request that stops half-way ends by the broker's own deadline") {
    USERS_CONTAINER(container, kUser);
    const Asker user(kUser);
    BrokerRun broker(user);
    broker.send_header(message_for(container), {pidfd_of(container.init.pid()).get()});
    expect_no(broker.answer(),
              "75 receive the request: Interrupted system call: not done within 5 s",
              container.cgroup);
}

// The broker that accepts, at a socket of its own.
class AcceptingBroker {
public:
    AcceptingBroker() {
        name_.sun_family = AF_UNIX;
        (Laboratory::get().dev.make_directory() + "/broker")
            .copy(name_.sun_path, sizeof name_.sun_path - 1);
        const UniqueFd listener = make_socket();
        must(::bind(listener.get(), address(), sizeof name_), "bind a socket");
        must(::listen(listener.get(), 64), "listen");
        Laboratory::get().dev.drain_log();
        pid_ = must(::fork(), "start the broker");
        if (pid_ != 0) return;
        const char* words[] = {"jail-ai-hook", "broker", nullptr};
        const char* environment[] = {nullptr};
        const int null = ::open("/dev/null", O_RDWR);
        if (::dup2(listener.get(), 0) == 0 && ::dup2(null, 1) == 1 && ::dup2(null, 2) == 2)
            ::fexecve(Laboratory::get().hook.fd(), const_cast<char**>(words),
                      const_cast<char**>(environment));
        ::_exit(125);
    }
    AcceptingBroker(const AcceptingBroker&) = delete;
    AcceptingBroker& operator=(const AcceptingBroker&) = delete;
    ~AcceptingBroker() {
        for (const pid_t request : requests()) ::kill(request, SIGKILL);
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    UniqueFd connect() const {
        UniqueFd client = make_socket();
        must(::connect(client.get(), address(), sizeof name_), "connect to the broker");
        return client;
    }

    // The processes that it has started, when there are so many.
    std::vector<pid_t> requests() const {
        const std::string pid = std::to_string(pid_);
        std::istringstream listed(read_file("/proc/" + pid + "/task/" + pid + "/children"));
        return {std::istream_iterator<pid_t>(listed), std::istream_iterator<pid_t>()};
    }

    // The log is polled: syslog wakes nobody.
    std::string await_line(std::string_view part) {
        const auto begin = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(15)) {
            for (std::string& line : Laboratory::get().dev.take_log(pid_))
                lines.push_back(std::move(line));
            for (const std::string& line : lines)
                if (line.find(part) != std::string::npos) return line;
            ::poll(nullptr, 0, 5);
        }
        return {};
    }

    std::vector<std::string> lines;  // that it has written

private:
    static UniqueFd make_socket() {
        return UniqueFd(must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
    }
    const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&name_); }

    sockaddr_un name_{};
    pid_t pid_;
};

TEST_CASE("broker: the administrator reads once that a person's share is used up") {
    AcceptingBroker broker;
    std::vector<UniqueFd> served;
    for (std::size_t i = 0; i < kShareOfPerson; ++i) served.push_back(broker.connect());
    for (int i = 0; i < 20; ++i) {
        const UniqueFd more = broker.connect();
        char answer[128]{};
        must(::recv(more.get(), answer, sizeof answer - 1, 0), "receive an answer");
        CHECK(std::string_view(answer).starts_with("no 75 busy: 4 requests of uid 0"));
    }
    CHECK(broker.await_line("uid 0: 4 requests are being served, as many as a person may have")
              .starts_with("<28>"));
    CHECK(broker.lines.size() == 1);
    for (const pid_t request : broker.requests()) ::kill(request, SIGKILL);
    CHECK(broker.await_line("uid 0: a request was killed by signal 9") != "");
    CHECK(broker.lines.size() == 2);
}

}  // namespace
}  // namespace jail_ai::test
