// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every combination of what a verdict depends on, against a naive reference: a datagram's
// destination, its source, the device that its socket is bound to, how long ago the peer has spoken
// to that socket; a connection's destination, who opened it, and whether before the jail or after.
// What the reference lets pass does what it does outside of the jail.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "must.h"
#include "netlink.h"
#include "protocol_reporter.h"
#include "scene.h"
#include "udp_timeout.h"

namespace jail_ai::test {
namespace {

constexpr std::uint16_t kPeer = 7600, kFirst = 7610, kAllowed = 7605;

enum class Source {
    any,
    own,
    host
};  // `host` claims to be the host's second address, which no capability is needed for
constexpr Source kSources[] = {Source::any, Source::own, Source::host};
enum class Device { none, link, loopback };
constexpr Device kDevices[] = {Device::none, Device::link, Device::loopback};
enum class Age { never, fresh, over };
enum class To { internet, host, peer, allowed, loopback };
constexpr To kTo[] = {To::internet, To::host, To::peer, To::allowed, To::loopback};

struct Form {
    const char* name;
    const char* any;
    const char* own;
    const char* host;
    const char* other;  // the host's, on its other link
    const char* loopback;
    const char* internet;
};
constexpr Form kForms[] = {
    {"IPv4", "0.0.0.0", "10.77.0.2", "10.77.0.1", "10.78.0.1", "127.0.0.1", "10.78.0.2"},
    {"IPv6", "::", "fd77::2", "fd77::1", "fd78::1", "::1", "fd78::2"},
    {"mapped", "::", "::ffff:10.77.0.2", "::ffff:10.77.0.1", "::ffff:10.78.0.1", "::ffff:127.0.0.1",
     "::ffff:10.78.0.2"},
};

struct Datagram {
    const Form* form;
    Source source;
    Device device;
    Age age;
    To to;
    bool connected;  // else it names its destination
};

Destination destination_of(const Datagram& datagram) {
    const Form& form = *datagram.form;
    switch (datagram.to) {
        case To::internet: return destination(form.internet, kPort);
        case To::host: return destination(form.host, kPort);
        case To::peer: return destination(form.host, kPeer);
        case To::allowed: return destination(form.host, kAllowed);
        case To::loopback: return destination(form.loopback, kPort);
    }
    return {};
}

// What denies it, and why.
struct Denied {
    bool by_call;  // else the packet, if the kernel comes so far as to make one
    jail_reason reason;
};

// Nobody speaks from outside to a socket that claims another's address, or hears the loopback
// device alone.
bool can_hear(Source source, Device device) {
    return source != Source::host && device != Device::loopback;
}

std::optional<Denied> reference(const Datagram& datagram) {
    const bool answers = datagram.to == To::peer && datagram.age == Age::fresh &&
                         can_hear(datagram.source, datagram.device);
    if ((datagram.to == To::host || datagram.to == To::peer) && !answers)
        return Denied{true, JAIL_REASON_LOCAL};
    if (datagram.to == To::loopback && datagram.device == Device::link)
        return Denied{true, JAIL_REASON_LOOPBACK};
    if (datagram.source == Source::host) return Denied{false, JAIL_REASON_MALFORMED_PACKET};
    return std::nullopt;
}

void bind_to(int socket, Device device) {
    const char* name = device == Device::link ? "ctr0" : device == Device::loopback ? "lo" : "";
    must(::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name,
                      static_cast<socklen_t>(std::strlen(name))),
         "bind to a device");
}

int open_socket(const Form& form, Source source, Device device, std::uint16_t port) {
    const Destination at = destination(source == Source::any   ? form.any
                                       : source == Source::own ? form.own
                                                               : form.other,
                                       port);
    const int socket = must(::socket(at.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket");
    const int on = 1;
    const timeval patience{3, 0};
    must(::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    must(::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse a port");
    if (at.family() == AF_INET6)
        must(::setsockopt(socket, SOL_IPV6, IPV6_FREEBIND, &on, sizeof on), "bind freely");
    else
        must(::setsockopt(socket, SOL_IP, IP_FREEBIND, &on, sizeof on), "bind freely");
    bind_to(socket, device);
    must(::bind(socket, at.get(), at.length), "bind a socket");
    return socket;
}

// What an earlier datagram came to, by ICMP.
void forget_error(int socket) {
    int error = 0;
    socklen_t size = sizeof error;
    must(::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size), "take a socket's error");
}

int send_by(int socket, Device device, const Destination& to, bool connected, Token token) {
    forget_error(socket);
    if (!connected)
        return ::sendto(socket, &token, sizeof token, 0, to.get(), to.length) < 0 ? errno : 0;
    if (::connect(socket, to.get(), to.length) != 0) return errno;
    const int error = ::send(socket, &token, sizeof token, 0) < 0 ? errno : 0;
    const sockaddr nobody{AF_UNSPEC, {}};
    must(::connect(socket, &nobody, sizeof nobody), "disconnect");
    bind_to(socket, device);  // which disconnecting has undone
    return error;
}

bool hears(int socket, Token token) {
    Token heard = 0;
    forget_error(socket);
    return ::recv(socket, &heard, sizeof heard, 0) == sizeof heard && heard == token;
}

// One socket in the jail and one beside it, of the same kind and at ports of their own.
struct Pair {
    Source source;
    Device device;
    int jailed, free;
    std::uint16_t port;
};

void check(Scene& scene, const Pair& pair, const Datagram& datagram) {
    const Destination to = destination_of(datagram);
    const bool connected = datagram.connected;
    const int jailed = pair.jailed, free = pair.free;
    const Device device = pair.device;
    const std::string outside = error_name(
        scene.outsider.run([=] { return send_by(free, device, to, connected, Token{1}); }));
    const DenialCounts before = denials(scene.container.cgroup);
    const std::string inside = error_name(
        scene.container.init.run([=] { return send_by(jailed, device, to, connected, Token{2}); }));
    const std::string counted = change(before, denials(scene.container.cgroup));
    const std::optional<Denied> denied = reference(datagram);
    const bool comes_so_far = denied && (denied->by_call || outside == "none");
    CHECK(inside == (comes_so_far ? "EPERM" : outside));
    CHECK(counted == (comes_so_far ? one_more(denied->reason) : ""));
}

std::vector<Pair> open_pairs(Scene& scene, const Form& form) {
    std::vector<Pair> pairs;
    for (const Source source : kSources)
        for (const Device device : kDevices) {
            const auto port = static_cast<std::uint16_t>(kFirst + 2 * pairs.size());
            const auto beside = static_cast<std::uint16_t>(port + 1);
            const Form* of = &form;
            pairs.push_back(
                {source, device,
                 scene.container.init.run([=] { return open_socket(*of, source, device, port); }),
                 scene.outsider.run([=] { return open_socket(*of, source, device, beside); }),
                 port});
        }
    return pairs;
}

void close_pairs(Scene& scene, const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) {
        const int jailed = pair.jailed, free = pair.free;
        CHECK(scene.container.init.run([=] { return ::close(jailed); }) == 0);
        CHECK(scene.outsider.run([=] { return ::close(free); }) == 0);
    }
}

// The peer on the host, who speaks to every socket that can hear it.
class Speaker {
public:
    Speaker(Scene& scene, const Form& form)
        : scene_(scene), form_(form), host_({.network = &Laboratory::get().network.host}) {
        const Destination at = destination(form.host, kPeer);
        socket_ = host_.run([=] {
            const int socket =
                must(::socket(at.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket");
            must(::bind(socket, at.get(), at.length), "bind a socket");
            return socket;
        });
    }

    void speak_to(const Pair& pair) {
        if (!can_hear(pair.source, pair.device)) return;
        const Destination to = destination(form_.own, pair.port);
        const int jailed = pair.jailed, speaker = socket_;
        CHECK(host_.run([=] { return send_by(speaker, Device::none, to, false, Token{3}); }) == 0);
        CHECK(scene_.container.init.run([=] { return hears(jailed, Token{3}); }));
    }

private:
    Scene& scene_;
    const Form& form_;
    Child host_;
    int socket_;
};

// First those that name their destination, for an IPv6 socket that has been connected is a bit so
// for ever.
void check_all(Scene& scene, const Form& form, const Pair& pair, Age age) {
    for (const bool connected : {false, true})
        for (const To to : kTo) {
            INFO("source " << int(pair.source) << ", device " << int(pair.device) << ", age "
                           << int(age) << ", to " << int(to) << ", connected " << connected);
            check(scene, pair, {&form, pair.source, pair.device, age, to, connected});
        }
}

constexpr const char* kPolicy =
    R"({"jail-ai.block-host":"true","jail-ai.block-host.allow":"host:7605/udp"})";

TEST_CASE(
    "datagrams: for every destination, source, device and age the jail says what a naive reference "
    "says") {
    Scene scene(Laboratory::get().network.container, kPolicy);
    for (const Form& form : kForms) {
        INFO(std::string(form.name));
        Speaker speaker(scene, form);
        for (const Age age : {Age::never, Age::fresh}) {
            const std::vector<Pair> pairs = open_pairs(scene, form);
            for (const Pair& pair : pairs) {
                if (age == Age::fresh) speaker.speak_to(pair);
                check_all(scene, form, pair, age);
            }
            close_pairs(scene, pairs);
        }
    }
}

TEST_CASE(
    "datagrams: once the time for answers is over the jail says what a naive reference says") {
    const UdpTimeout timeout("3");  // so that an answer passes for 1 s
    if (!timeout.is_there()) SKIP_CASE("this kernel has no connection tracking");
    Scene scene(Laboratory::get().network.container, kPolicy);
    for (const Form& form : kForms) {
        INFO(std::string(form.name));
        Speaker speaker(scene, form);
        const std::vector<Pair> pairs = open_pairs(scene, form);
        for (const Pair& pair : pairs) speaker.speak_to(pair);
        ::sleep(2);  // what is tested is that time passes
        for (const Pair& pair : pairs) check_all(scene, form, pair, Age::over);
        close_pairs(scene, pairs);
    }
}

}  // namespace
}  // namespace jail_ai::test
