// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// unix_stream_connect and unix_may_send: abstract Unix sockets live in network namespaces, so who shares the host's could talk to the
// host's services by them.
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
    if (call == Call::connect) return ::connect(socket.get(), name.get(), name.length) == 0 ? 0 : errno;
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

TEST_CASE("in the host's network namespace, abstract sockets of others are out of reach from inside") {
    NEED_GUARD();
    for_each_way([](const Way& way) {
        Rig rig(Laboratory::get().network.host);
        const int type = way.type;
        const Call call = way.call;
        const UnixName theirs = name_of_socket("jail-ai-theirs", true);
        REQUIRE(error_name(rig.stranger.run([=] { return serve(type, theirs); })) == "none");
        expect_denied(rig, rig.container.init, JAIL_REASON_ABSTRACT_UNIX, [=] { return reach(type, theirs, call); });
        expect_denied(rig, rig.nested, JAIL_REASON_ABSTRACT_UNIX, [=] { return reach(type, theirs, call); });
        expect_allowed(rig, rig.neighbour, [=] { return reach(type, theirs, call); });
    });
}

TEST_CASE("there, the container's own abstract sockets are reached, in its cgroup and below") {
    NEED_GUARD();
    for_each_way([](const Way& way) {
        Rig rig(Laboratory::get().network.host);
        const int type = way.type;
        const Call call = way.call;
        const UnixName own = name_of_socket("jail-ai-own", true), nested = name_of_socket("jail-ai-nested", true);
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
        expect_allowed(rig, rig.container.init, [=] { return ::send(near, "x", 1, 0) == 1 ? 0 : errno; });
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

}  // namespace
}  // namespace jail_ai::test
