// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One attempt of one route; see attempt.h.
#include "attempt.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>

#include "failure.h"

namespace escape {

namespace {

using Clock = std::chrono::steady_clock;
using jail_ai::UniqueFd;

constexpr int patience_ms = 60000;  // for a route to end, and for a packet to cross a veth pair
constexpr int settle_ms = 50;       // for what a kernel worker delivers after the route has ended
constexpr int expected_ms = 20000;  // for the same, if it is known to come

int left(Clock::time_point deadline) {
    auto rest =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return rest < 0 ? 0 : static_cast<int>(rest);
}

sockaddr_in address4(const char* text, uint16_t at) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(at);
    ::inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

std::string hex(const Bytes& bytes) {
    std::string text;
    char digits[3];
    for (uint8_t byte : bytes) {
        std::snprintf(digits, sizeof(digits), "%02x", byte);
        text += digits;
    }
    return text;
}

bool any_contains(const std::vector<Frame>& frames, const Bytes& needle) {
    for (const Frame& frame : frames)
        if (contains(frame.bytes, needle)) return true;
    return false;
}

}  // namespace

// Sockets made outside of the cgroup, for the adversary to inherit; the numbers are those of
// routes/route.h.
struct Stage::Handed {
    std::vector<UniqueFd> sockets;
    std::vector<std::pair<int, int>> places;

    void add(int fd, int number) {
        if (fd < 0) give_up("make a socket to hand in");
        sockets.emplace_back(fd);
        places.emplace_back(fd, number);
    }
    explicit Handed(const Lab& lab) {
        // One that answers TCP in every world; behind a helper there is no other.
        sockaddr_in host =
                        address4(lab.world().is_relayed() ? lab.world().host4 : "10.77.0.1", port),
                    any = address4("0.0.0.0", 0);
        lab.within(lab.container(), [&] {
            add(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 10);
            add(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 11);
            add(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 12);
            if (::connect(sockets.back().get(), reinterpret_cast<sockaddr*>(&host), sizeof(host)))
                give_up("connect a socket to hand in");
        });
        lab.within(lab.host(), [&] {
            add(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 13);
            if (::bind(sockets.back().get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)) ||
                ::listen(sockets.back().get(), 1))
                give_up("make a listener to hand in");
        });
        int letters[2];
        if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, letters))
            give_up("make a socket pair");
        add(letters[0], 14);
        UniqueFd sending_end(letters[1]), enclosed;
        lab.within(lab.container(),
                   [&] { enclosed = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
        char byte = 0;
        iovec part{&byte, 1};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
        msghdr letter{};
        letter.msg_iov = &part;
        letter.msg_iovlen = 1;
        letter.msg_control = control;
        letter.msg_controllen = sizeof(control);
        cmsghdr* head = CMSG_FIRSTHDR(&letter);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        int fd = enclosed.get();
        std::memcpy(CMSG_DATA(head), &fd, sizeof(fd));
        if (::sendmsg(sending_end.get(), &letter, 0) != 1) give_up("send a socket");
    }
};

Stage::Stage(Lab& lab, const std::string& adversary)
    : lab_(lab),
      capture_(lab),
      listeners_(lab),
      binary_(::open(adversary.c_str(), O_PATH | O_CLOEXEC)) {
    if (!binary_) give_up("open " + adversary);
    lab_.within(lab_.host(), [&] {
        shared_flusher_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    });
    lab_.within(lab_.container(),
                [&] { flusher_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
}

void Stage::renew() {
    listeners_.forget();
    flusher_.reset();  // an open socket keeps a deleted device busy for a second
    lab_.renew_container();
    capture_.relearn(lab_);
    listeners_.rejoin(lab_);
    lab_.within(lab_.container(),
                [&] { flusher_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
}

std::vector<std::string> Stage::arguments(const Route& route, const Bytes& token) {
    bool shared = route.needs_word("shared");
    return {
        route.name,
        "token=" + hex(token),
        std::string("host4=") + lab_.world().host4,
        std::string("second4=") + lab_.world().second4,
        std::string("own4=") + lab_.world().own4,
        "subnet4=10.77.0.255",
        "ext4=10.78.0.2",
        std::string("host6=") + lab_.world().host6,
        std::string("link6=") + lab_.world().link6,
        std::string("own6=") + lab_.world().own6,
        "ext6=fd78::2",
        "neighbour6=fd77::",
        "leg4=10.76.0.2",
        "leg6=fd76::2",
        "host_leg4=10.76.0.1",
        "host_leg6=fd76::1",
        "service4=10.96.0.10",
        "service6=fd96::10",
        "turn=" + std::to_string(turns_[route.name]++),
        "forget_ms=" + std::to_string(1000 * conntrack_seconds + 500),
        std::string("ifname=") +
            (shared ? lab_.world().host_link() : lab_.world().container_link()),
        std::string("host_mac=") + host_mac,
        std::string("own_mac=") + lab_.world().own_mac(),
        "port=" + std::to_string(port),
        "abstract=" + listeners_.abstract_name(),
        "netlink_port=" + std::to_string(listeners_.netlink_port()),
        "vsock_port=" + std::to_string(Listeners::vsock_port),
    };
}

// Serves the listeners until the sender has ended; one that hangs is killed.
void Stage::watch(Sender& sender, std::vector<Frame>& frames, std::vector<Frame>& outgoing) {
    auto deadline = Clock::now() + std::chrono::milliseconds(patience_ms);
    for (bool running = true; running;) {
        std::vector<pollfd> fds{{sender.exited.get(), POLLIN, 0}, {capture_.fd(), POLLIN, 0}};
        listeners_.append_to(fds);
        if (::poll(fds.data(), fds.size(), left(deadline)) == 0) ::kill(sender.pid, SIGKILL);
        running = (fds[0].revents & POLLIN) == 0;
        listeners_.serve();
        capture_.drain(frames, outgoing);
    }
}

// Sends a datagram the same way and waits until it was captured: everything in front of it has
// been, then.
bool Stage::flush(bool shared, std::vector<Frame>& frames, std::vector<Frame>& outgoing) {
    Bytes mark = {'f', 'l', 'u', 's', 'h', 0, 0, 0, 0, 0, 0, 0, 0};
    flushes_++;
    std::memcpy(&mark[5], &flushes_, sizeof(flushes_));
    sockaddr_in to = shared ? address4("127.0.0.1", port) : address4("10.78.0.2", port);
    std::vector<Frame> fresh;
    if (::sendto((shared ? shared_flusher_ : flusher_).get(), mark.data(), mark.size(), 0,
                 reinterpret_cast<sockaddr*>(&to), sizeof(to)) < 0) {
        if (lab_.helper_exited() >= 0 && errno == ENETUNREACH) return false;
        give_up("send the flushing datagram");
    }
    auto deadline = Clock::now() + std::chrono::milliseconds(patience_ms);
    while (!any_contains(!shared && lab_.world().is_relayed() ? outgoing : fresh, mark)) {
        std::vector<pollfd> fds{{lab_.helper_exited(), POLLIN, 0}, {capture_.fd(), POLLIN, 0}};
        listeners_.append_to(fds);
        errno = ETIMEDOUT;
        if (::poll(fds.data(), fds.size(), left(deadline)) == 0)
            give_up("see the flushing datagram");
        if (fds[0].revents != 0) return false;
        listeners_.serve();
        capture_.drain(fresh, outgoing);
    }
    for (Frame& frame : fresh)
        if (!contains(frame.bytes, mark)) frames.push_back(std::move(frame));
    return true;
}

Outcome Stage::attempt(const Route& route, const Cgroup& cgroup, uint64_t capabilities,
                       bool expected, EarlierSockets* earlier) {
    bool shared = route.needs_word("shared");
    Bytes token(8);
    if (::getrandom(token.data(), token.size(), 0) != static_cast<ssize_t>(token.size()))
        give_up("make a token");

    std::vector<Frame> frames, outgoing;
    std::vector<std::pair<int, int>> inherited;
    std::unique_ptr<Handed> handed;
    listeners_.forget();
    if (route.needs_word("outside")) {
        handed = std::make_unique<Handed>(lab_);
        inherited = handed->places;
    }
    jail_ai::UniqueFd own;
    if (route.needs_word("before") && earlier != nullptr) {
        own = earlier->take(route.name);
        inherited.emplace_back(own.get(), earlier_socket);
    }
    if (!flush(shared, frames, outgoing)) {
        errno = EPIPE;
        give_up("use the user-mode network");
    }
    frames.clear();
    outgoing.clear();

    Place place{&cgroup, shared ? lab_.host() : lab_.container(), capabilities,
                route.needs_word("root")};
    Sender sender = start_adversary(place, binary_.get(), arguments(route, token), inherited);
    watch(sender, frames, outgoing);
    Report report = read_report(sender);
    int status = finish(sender.pid);
    if (status >= 64 && status < 128) {
        errno = EINVAL;
        give_up("run the adversary for " + route.name + ": exit status " + std::to_string(status));
    }
    handed.reset();
    own.reset();
    Outcome outcome;
    if (!flush(shared, frames, outgoing)) {  // it choked on a packet of the route's
        renew();
        outcome.error = report.error;
        return outcome;
    }

    auto checked = [&] {
        // What ext answers, or the kernel when ext doesn't, is for the helper's sockets on the
        // host, which hand it to the container.
        std::vector<Frame> decisive = frames;
        if (lab_.world().is_relayed())
            std::erase_if(decisive, [](const Frame& frame) {
                return frame.by == Interface::ext_link || is_error_message(frame);
            });
        return check(decisive, token, report.markers, lab_.world().addresses, shared);
    };
    Verdict verdict = checked();
    bool bare = route.needs_word("bare");
    auto arrived = [&](const Verdict& so_far) {
        return so_far.payload || (bare && so_far.packet) || listeners_.host_received(token);
    };
    if (!arrived(verdict) && report.error == 0) {
        // Kernel workers may still be at it.
        auto deadline =
            Clock::now() + std::chrono::milliseconds(expected ? expected_ms : settle_ms);
        while (left(deadline) > 0 && !arrived(verdict)) {
            std::vector<pollfd> fds{{capture_.fd(), POLLIN, 0}};
            listeners_.append_to(fds);
            ::poll(fds.data(), fds.size(), left(deadline));
            listeners_.serve();
            capture_.drain(frames, outgoing);
            verdict = checked();
        }
    }
    outcome.error = report.error;
    outcome.packet = verdict.packet || listeners_.host_received(token);
    outcome.arrived = arrived(verdict);
    outcome.how =
        verdict.how.empty() && outcome.arrived ? "a socket of the host received it" : verdict.how;
    Bytes inverted = token;
    for (uint8_t& byte : inverted) byte = static_cast<uint8_t>(~byte);
    outcome.alive = any_contains(shared || lab_.world().is_relayed() ? outgoing : frames, inverted);
    return outcome;
}

}  // namespace escape
