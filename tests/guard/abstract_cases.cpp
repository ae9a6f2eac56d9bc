// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// unix_stream_connect and unix_may_send: abstract Unix sockets live in network namespaces, so who
// shares the host's could talk to the host's services by them. They fail as a name does that nobody
// has, since clients go on from there to another.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "rig.h"

namespace jail_ai::test {
namespace {

struct UnixName {
    sockaddr_un address;
    socklen_t length;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

UnixName name_of_socket(const std::string& name, bool abstract) {
    UnixName made{};
    made.address.sun_family = AF_UNIX;
    std::memcpy(made.address.sun_path + (abstract ? 1 : 0), name.data(), name.size());
    made.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    return made;
}

// Binds a socket that stays open as long as the child lives; 0 or errno.
int serve(int type, const UnixName& name) {
    const int fd = ::socket(AF_UNIX, type, 0);
    if (fd < 0 || ::bind(fd, name.get(), name.length) != 0) return errno;
    return type == SOCK_DGRAM || ::listen(fd, 8) == 0 ? 0 : errno;
}

enum class Call { connect, send };

int reach(int type, const UnixName& name, Call call) {
    const UniqueFd socket(::socket(AF_UNIX, type, 0));
    if (!socket) return errno;
    if (call == Call::connect)
        return ::connect(socket.get(), name.get(), name.length) == 0 ? 0 : errno;
    return ::sendto(socket.get(), "x", 1, MSG_DONTWAIT, name.get(), name.length) == 1 ? 0 : errno;
}

struct Way {
    const char* name;
    int type;
    Call call;
};

constexpr Way kWays[] = {
    {"stream", SOCK_STREAM, Call::connect},
    {"seqpacket", SOCK_SEQPACKET, Call::connect},
    {"datagram, connected", SOCK_DGRAM, Call::connect},
    {"datagram, sent", SOCK_DGRAM, Call::send},
};

template <typename Case>
void for_each_way(Case run) {
    for (const Way& way : kWays) {
        SUBCASE(way.name) {
            guarded([&] { run(way); });
        }
    }
}

template <typename Attempt>
void expect_refused_name(const Rig& rig, Child& inside, Attempt attempt) {
    expect_denied(rig, inside, JAIL_REASON_ABSTRACT_UNIX, attempt, "ECONNREFUSED");
}

// As libxcb does: the abstract name, and the path only where nobody has that.
int reach_abstract_or_path(const UnixName& abstract, const UnixName& path) {
    const int error = reach(SOCK_STREAM, abstract, Call::connect);
    return error == ECONNREFUSED || error == ENOENT ? reach(SOCK_STREAM, path, Call::connect)
                                                    : error;
}

// A server that listens at both, as X servers do, is reached by its path, which is the container's
// to have or not.
void expect_path_reached(Rig& rig) {
    const UnixName name = name_of_socket("jail-ai-both", true),
                   path = name_of_socket(rig.container.state.bundle + "/both", false);
    REQUIRE(error_name(rig.stranger.run([=] { return serve(SOCK_STREAM, name); })) == "none");
    REQUIRE(error_name(rig.stranger.run([=] { return serve(SOCK_STREAM, path); })) == "none");
    for (Child* inside : {&rig.container.init, &rig.nested}) {
        const DenialCounts before = denials(rig.container.cgroup);
        CHECK(error_name(inside->run([=] { return reach_abstract_or_path(name, path); })) ==
              "none");
        CHECK(change(before, denials(rig.container.cgroup)) == one_more(JAIL_REASON_ABSTRACT_UNIX));
    }
    expect_allowed(rig, rig.neighbour, [=] { return reach_abstract_or_path(name, path); });
}

// A Unix socket without a name goes from one child to another, which sends from it to an abstract
// name; 0 or errno.
int send_from(int channel, const UnixName& name) {
    const Received received = receive_descriptors(channel);
    const UniqueFd socket(received.last);
    if (!socket) return EBADF;
    return ::sendto(socket.get(), "x", 1, MSG_DONTWAIT, name.get(), name.length) == 1 ? 0 : errno;
}

void hand_over_unbound(const Rig& rig, Child& sender) {
    const int near = rig.channel.near();
    REQUIRE(error_name(sender.run([=] {
                const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
                const int fd = socket.get();
                return socket ? send_descriptors(near, &fd, 1) : errno;
            })) == "none");
}

TEST_CASE(
    "in the host's network namespace, abstract sockets of others are out of reach from inside") {
    NEED_GUARD();
    for_each_way([](const Way& way) {
        Rig rig(Laboratory::get().network.host);
        const int type = way.type;
        const Call call = way.call;
        const UnixName theirs = name_of_socket("jail-ai-theirs", true);
        REQUIRE(error_name(rig.stranger.run([=] { return serve(type, theirs); })) == "none");
        expect_refused_name(rig, rig.container.init, [=] { return reach(type, theirs, call); });
        expect_refused_name(rig, rig.nested, [=] { return reach(type, theirs, call); });
        expect_allowed(rig, rig.neighbour, [=] { return reach(type, theirs, call); });
    });
}

TEST_CASE("there, the container's own abstract sockets are reached, in its cgroup and below") {
    NEED_GUARD();
    for_each_way([](const Way& way) {
        Rig rig(Laboratory::get().network.host);
        const int type = way.type;
        const Call call = way.call;
        const UnixName own = name_of_socket("jail-ai-own", true),
                       nested = name_of_socket("jail-ai-nested", true);
        REQUIRE(error_name(rig.container.init.run([=] { return serve(type, own); })) == "none");
        REQUIRE(error_name(rig.nested.run([=] { return serve(type, nested); })) == "none");
        expect_allowed(rig, rig.container.init, [=] { return reach(type, own, call); });
        expect_allowed(rig, rig.container.init, [=] { return reach(type, nested, call); });
        expect_allowed(rig, rig.nested, [=] { return reach(type, own, call); });
        expect_allowed(rig, rig.stranger, [=] { return reach(type, own, call); });
    });
}

TEST_CASE("there, sockets with a path are reached, as are those without a name") {
    NEED_GUARD();
    for_each_way([](const Way& way) {
        Rig rig(Laboratory::get().network.host);
        const int type = way.type;
        const Call call = way.call;
        const UnixName path = name_of_socket(rig.container.state.bundle + "/socket", false);
        REQUIRE(error_name(rig.stranger.run([=] { return serve(type, path); })) == "none");
        expect_allowed(rig, rig.container.init, [=] { return reach(type, path, call); });
        expect_allowed(rig, rig.nested, [=] { return reach(type, path, call); });
        const int near = rig.channel.near();
        expect_allowed(rig, rig.container.init,
                       [=] { return ::send(near, "x", 1, 0) == 1 ? 0 : errno; });
    });
}

TEST_CASE("in a network namespace of its own, whatever abstract socket is there is reached") {
    NEED_GUARD();
    for_each_way([](const Way& way) {
        Rig rig;
        const int type = way.type;
        const Call call = way.call;
        const UnixName theirs = name_of_socket("jail-ai-pod", true);
        REQUIRE(error_name(rig.stranger.run([=] { return serve(type, theirs); })) == "none");
        expect_allowed(rig, rig.container.init, [=] { return reach(type, theirs, call); });
        expect_allowed(rig, rig.nested, [=] { return reach(type, theirs, call); });
    });
}

TEST_CASE("a client that goes on from the abstract name to the path gets there") {
    NEED_GUARD();
    Rig rig(Laboratory::get().network.host);
    expect_path_reached(rig);
}

// The kernel could as well ask the socket's cgroup (security_unix_may_send has a socket for its
// first argument); no kernel so far does.
TEST_CASE("the guard's Unix hooks ask who calls, and not whose the socket is") {
    NEED_GUARD();
    Rig rig(Laboratory::get().network.host);
    const UnixName theirs = name_of_socket("jail-ai-theirs", true);
    const int far = rig.channel.far();
    REQUIRE(error_name(rig.stranger.run([=] { return serve(SOCK_DGRAM, theirs); })) == "none");
    hand_over_unbound(rig, rig.neighbour);
    expect_refused_name(rig, rig.container.init, [=] { return send_from(far, theirs); });
    hand_over_unbound(rig, rig.container.init);
    expect_allowed(rig, rig.neighbour, [=] { return send_from(far, theirs); });
}

// What stands in for the guard: a hook that knows the name alone.

TEST_CASE("without BPF LSM, in the host's network namespace, no abstract socket is reached") {
    if (!kernel_has_unix_hooks()) SKIP_CASE("no hooks for Unix sockets on this kernel");
    for_each_way([](const Way& way) {
        Rig rig{WithoutLsm{}};
        expect_jailed(rig.outcome, rig.container.cgroup, Guard::unix_hooks);
        const int type = way.type;
        const Call call = way.call;
        const UnixName theirs = name_of_socket("jail-ai-theirs", true),
                       own = name_of_socket("jail-ai-own", true);
        REQUIRE(error_name(rig.stranger.run([=] { return serve(type, theirs); })) == "none");
        REQUIRE(error_name(rig.container.init.run([=] { return serve(type, own); })) == "none");
        for (Child* inside : {&rig.container.init, &rig.nested}) {
            expect_refused_name(rig, *inside, [=] { return reach(type, theirs, call); });
            expect_refused_name(rig, *inside, [=] { return reach(type, own, call); });
        }
        expect_allowed(rig, rig.neighbour, [=] { return reach(type, theirs, call); });
        expect_allowed(rig, rig.stranger, [=] { return reach(type, own, call); });
    });
}

TEST_CASE("there, sockets with a path are reached, and connected ones talk on") {
    if (!kernel_has_unix_hooks()) SKIP_CASE("no hooks for Unix sockets on this kernel");
    for_each_way([](const Way& way) {
        Rig rig{WithoutLsm{}};
        const int type = way.type;
        const Call call = way.call;
        const UnixName path = name_of_socket(rig.container.state.bundle + "/socket", false);
        REQUIRE(error_name(rig.stranger.run([=] { return serve(type, path); })) == "none");
        expect_allowed(rig, rig.container.init, [=] { return reach(type, path, call); });
        const int near = rig.channel.near();
        expect_allowed(rig, rig.container.init,
                       [=] { return ::send(near, "x", 1, 0) == 1 ? 0 : errno; });
    });
}

TEST_CASE("there, a client that goes on from the abstract name to the path gets there") {
    if (!kernel_has_unix_hooks()) SKIP_CASE("no hooks for Unix sockets on this kernel");
    Rig rig{WithoutLsm{}};
    expect_path_reached(rig);
}

TEST_CASE("there, the hooks ask whose the socket is, and not who calls") {
    if (!kernel_has_unix_hooks()) SKIP_CASE("no hooks for Unix sockets on this kernel");
    Rig rig{WithoutLsm{}};
    const UnixName theirs = name_of_socket("jail-ai-theirs", true);
    const int far = rig.channel.far();
    REQUIRE(error_name(rig.stranger.run([=] { return serve(SOCK_DGRAM, theirs); })) == "none");
    hand_over_unbound(rig, rig.neighbour);
    expect_allowed(rig, rig.container.init, [=] { return send_from(far, theirs); });
    hand_over_unbound(rig, rig.container.init);
    expect_refused_name(rig, rig.neighbour, [=] { return send_from(far, theirs); });
}

TEST_CASE("there, audit counts them and allows them") {
    if (!kernel_has_unix_hooks()) SKIP_CASE("no hooks for Unix sockets on this kernel");
    Rig rig{WithoutLsm{R"({"jail-ai.block-host":"audit"})"}};
    const UnixName theirs = name_of_socket("jail-ai-theirs", true);
    REQUIRE(error_name(rig.stranger.run([=] { return serve(SOCK_STREAM, theirs); })) == "none");
    const DenialCounts before = denials(rig.container.cgroup);
    CHECK(error_name(rig.container.init.run(
              [=] { return reach(SOCK_STREAM, theirs, Call::connect); })) == "none");
    CHECK(change(before, denials(rig.container.cgroup)) == one_more(JAIL_REASON_ABSTRACT_UNIX));
}

TEST_CASE(
    "there, they stay open where that is accepted, and on a kernel that can't close them, and the "
    "log says so") {
    Rig accepted{
        WithoutLsm{R"({"jail-ai.block-host":"true","jail-ai.block-host.accept":"abstract-unix"})"}};
    expect_programs_attached(accepted.container.cgroup, Guard::none);
    CHECK(accepted.outcome.err.find(
              "accepted risk abstract-unix: it reaches abstract Unix sockets of this machine") !=
          std::string::npos);
    const UnixName theirs = name_of_socket("jail-ai-theirs", true);
    REQUIRE(error_name(accepted.stranger.run([=] { return serve(SOCK_STREAM, theirs); })) ==
            "none");
    expect_allowed(accepted, accepted.container.init,
                   [=] { return reach(SOCK_STREAM, theirs, Call::connect); });
    if (kernel_has_unix_hooks()) return;
    const Rig open{WithoutLsm{}};
    expect_programs_attached(open.container.cgroup, Guard::none);
    CHECK(open.outcome.err.find("left open: it reaches abstract Unix sockets of this machine") !=
          std::string::npos);
    CHECK(open.outcome.err.find("accept=abstract-unix") != std::string::npos);
}

}  // namespace
}  // namespace jail_ai::test
