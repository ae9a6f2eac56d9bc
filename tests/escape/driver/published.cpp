// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What must work in spite of the jail: answers to whoever on the host spoke first, and everything
// with everybody else. And no more than that: a peer that has been answered opens nothing but
// itself.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "failure.h"
#include "programs.h"
#include "sender.h"
#include "suite.h"
#include "talk.h"

namespace escape {

namespace {

using jail_ai::UniqueFd;

constexpr size_t small_datagram = 100, large_datagram = 8000;  // the large one is fragmented
constexpr uint16_t service = 21000, closed_port = 21999;
constexpr int multipath_tcp = 262;

std::string words(int error) {
    return error == 0 ? "" : std::strerror(error);
}

// A process somewhere that says when it is ready, and what became of its work: 0 or an errno.
class Actor {
public:
    // work(ready) calls ready() once it can be talked to.
    Actor(const Place& place, const std::function<int(const std::function<void()>&)>& work) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC)) give_up("make a pipe");
        pid_ = start_in(place, [&] {
            ::close(ends[0]);
            char byte = 0;
            return work([&] { (void)!::write(ends[1], &byte, 1); });
        });
        ::close(ends[1]);
        char byte;
        ready_ = ::read(ends[0], &byte, 1) == 1;
        ::close(ends[0]);
    }
    bool ready() const { return ready_; }
    int result() { return finish(pid_); }

private:
    pid_t pid_;
    bool ready_;
};

class Published {
public:
    Published(const Lab& lab, Tally& tally, const Cgroup& jail, const Cgroup& free,
              std::string where, size_t bulk)
        : lab_(lab),
          tally_(tally),
          jail_(jail),
          free_(free),
          where_(std::move(where)),
          bulk_(bulk) {}

    // `outwards`: and what the container itself asks of others.
    void run(bool outwards) {
        if (!lab_.world().is_relayed()) inwards();
        if (outwards)
            for (const char* ext : {"10.78.0.2", "fd78::2"}) outward(ext);
        for (const char* own :
             {"127.0.0.1", "127.9.8.7", "::1", lab_.world().own4, lab_.world().own6})
            within_itself(own);
    }

private:
    // What a user-mode network would have to be told of, port by port.
    void inwards() {
        for (const char* own : {"10.77.0.2", "fd77::2"}) {
            stream("bulk each way over TCP from the host to " + std::string(own), inside(),
                   lab_.host(), own, bulk_);
            datagrams("UDP answered by sendto at " + std::string(own), own, small_datagram);
            datagrams("UDP answered by sendto in fragments at " + std::string(own), own,
                      large_datagram);
            connecting_back("UDP answered by connect at " + std::string(own), own);
            only_the_peer("an answered UDP peer opens nothing else at " + std::string(own), own);
            echo("ping from the host to " + std::string(own), own);
            closed("a closed port tells the host so at " + std::string(own), own);
        }
        stream("TCP from the host by link-local address", inside(), lab_.host(), "fe80::77:2%vh",
               1 << 20);
        stream("multipath TCP from the host", inside(), lab_.host(), "10.77.0.2", 1 << 20,
               multipath_tcp);
        many_peers("UDP answered to 80 peers at once");
        syn_cookies("TCP from the host while SYN cookies are sent");
        for (const char* own : {"10.77.0.2", "fd77::2"})
            stream("TCP from ext to " + std::string(own), inside(), lab_.ext(), own, 1 << 20);
    }

    Place inside() const { return {&jail_, lab_.container()}; }
    Place on(int netns) const { return {&free_, netns}; }

    void report(const std::string& name, int there, int here) {
        std::string why;
        if (here != 0) why = "the client: " + words(here);
        if (there != 0) why += (why.empty() ? "" : ", ") + ("the server: " + words(there));
        tally_.check(name + where_, why);
    }

    // Runs work() here in a network namespace.
    int at(int netns, const std::function<int()>& work) const {
        int error = 0;
        lab_.within(netns, [&] { error = work(); });
        return error;
    }

    void stream(const std::string& name, const Place& server_place, int client_netns,
                const std::string& address, size_t bytes, int protocol = 0) {
        std::string bind_address = address.find('%') == std::string::npos ? address : "::";
        Actor server(server_place, [&](const auto& ready) {
            UniqueFd listener = open_server(Endpoint(bind_address, service), SOCK_STREAM, protocol);
            if (!listener) return errno;
            ready();
            return serve_exchange(listener.get(), bytes);
        });
        if (!server.ready() && protocol == multipath_tcp) {
            server.result();
            return tally_.skip(name + where_, "this kernel has none");
        }
        int here = at(client_netns,
                      [&] { return exchange_with(Endpoint(address, service), bytes, protocol); });
        report(name, server.result(), here);
    }

    void datagrams(const std::string& name, const std::string& address, size_t size) {
        Actor server(inside(), [&](const auto& ready) {
            UniqueFd fd = open_server(Endpoint(address, service), SOCK_DGRAM);
            if (!fd) return errno;
            ready();
            return answer_by_datagram(fd.get(), size);
        });
        int here =
            at(lab_.host(), [&] { return ask_by_datagram(Endpoint(address, service), size); });
        report(name, server.result(), here);
    }

    void connecting_back(const std::string& name, const std::string& address) {
        Actor server(inside(), [&](const auto& ready) {
            UniqueFd fd = open_server(Endpoint(address, service), SOCK_DGRAM);
            if (!fd) return errno;
            ready();
            Endpoint client;
            int error = receive_datagram(fd.get(), &client, 'q', small_datagram);
            if (error == 0 && ::connect(fd.get(), client.get(), client.length) != 0) error = errno;
            return error != 0 ? error : send_datagram(fd.get(), nullptr, 'a', small_datagram);
        });
        int here = at(lab_.host(),
                      [&] { return ask_by_datagram(Endpoint(address, service), small_datagram); });
        report(name, server.result(), here);
    }

    // The results of the server are numbers of steps here, not errnos: the first that did not go as
    // it should.
    void only_the_peer(const std::string& name, const std::string& address) {
        static constexpr const char* steps[] = {
            "",
            "the peer was not answered",
            "another port of the host was not denied",
            "another socket was not denied to send to the peer",
            "another socket was not denied to connect to the peer",
            "TCP to the peer's port was not denied",
            "the peer was not answered a second time"};
        Actor server(inside(), [&](const auto& ready) {
            UniqueFd fd = open_server(Endpoint(address, service), SOCK_DGRAM),
                     other = open_client(fd ? Endpoint(address, 0).family() : AF_INET, SOCK_DGRAM);
            if (!fd || !other) return 1;
            ready();
            Endpoint client;
            if (receive_datagram(fd.get(), &client, 'q', small_datagram) != 0 ||
                send_datagram(fd.get(), &client, 'a', small_datagram) != 0)
                return 1;
            Endpoint beside = client;
            auto* port_at = client.family() == AF_INET
                                ? &reinterpret_cast<sockaddr_in*>(beside.get())->sin_port
                                : &reinterpret_cast<sockaddr_in6*>(beside.get())->sin6_port;
            *port_at = htons(static_cast<uint16_t>(ntohs(*port_at) + 1));
            if (send_datagram(fd.get(), &beside, 'x', small_datagram) != EPERM) return 2;
            if (send_datagram(other.get(), &client, 'x', small_datagram) != EPERM) return 3;
            if (::connect(other.get(), client.get(), client.length) == 0 || errno != EPERM)
                return 4;
            if (exchange_with(client, 1) != EPERM) return 5;
            return send_datagram(fd.get(), &client, 'a', small_datagram) == 0 ? 0 : 6;
        });
        std::string why;
        uint64_t before = denials(jail_.directory.get());
        lab_.within(lab_.host(), [&] {
            // Two sockets at neighbouring ports: the second must stay silent.
            UniqueFd fd, silent;
            Endpoint own(address == "10.77.0.2" ? "10.77.0.1" : "fd77::1", 22000),
                beside(address == "10.77.0.2" ? "10.77.0.1" : "fd77::1", 22001);
            fd = open_server(own, SOCK_DGRAM);
            silent = open_server(beside, SOCK_DGRAM);
            Endpoint to(address, service);
            if (!fd || !silent) give_up("bind on the host");
            int error = send_datagram(fd.get(), &to, 'q', small_datagram);
            for (int i = 0; i < 2 && error == 0; i++)
                error = receive_datagram(fd.get(), nullptr, 'a', small_datagram);
            if (error != 0) why = words(error);
            char byte;
            if (::recv(silent.get(), &byte, 1, MSG_DONTWAIT) >= 0)
                why = "the neighbouring port heard something";
            if (::recv(fd.get(), &byte, 1, MSG_DONTWAIT) >= 0)
                why = "the peer heard more than its answers";
        });
        int step = server.result();
        if (step != 0)
            why = step < 7 ? steps[step] : "the server died";
        else if (why.empty() && denials(jail_.directory.get()) < before + 4)
            why = "the denials were not counted";
        tally_.check(name + where_, why);
    }

    void echo(const std::string& name, const std::string& address) {
        report(name, 0, at(lab_.host(), [&] { return ping(Endpoint(address, 0)); }));
    }

    void closed(const std::string& name, const std::string& address) {
        Endpoint nobody(address, closed_port);
        int tcp = at(lab_.host(), [&] { return exchange_with(nobody, 1); });
        int udp = at(lab_.host(), [&] {
            UniqueFd fd = open_client(nobody.family(), SOCK_DGRAM);
            if (!fd || ::connect(fd.get(), nobody.get(), nobody.length) != 0) return errno;
            int error = send_datagram(fd.get(), nullptr, 'q', small_datagram);
            return error != 0 ? error : receive_datagram(fd.get(), nullptr, 'a', small_datagram);
        });
        std::string why;
        if (tcp != ECONNREFUSED) why = "TCP: " + words(tcp);
        if (udp != ECONNREFUSED) why += (why.empty() ? "UDP: " : ", UDP: ") + words(udp);
        tally_.check(name + where_, why);
    }

    // All ask before any is answered.
    void many_peers(const std::string& name) {
        constexpr size_t count = 80;  // a set of the table holds 16, and there are 16 sets
        Actor server(inside(), [&](const auto& ready) {
            UniqueFd fd = open_server(Endpoint("10.77.0.2", service), SOCK_DGRAM);
            if (!fd) return errno;
            ready();
            std::vector<Endpoint> clients(count);
            for (Endpoint& client : clients)
                if (int error = receive_datagram(fd.get(), &client, 'q', small_datagram))
                    return error;
            for (Endpoint& client : clients)
                if (int error = send_datagram(fd.get(), &client, 'a', small_datagram)) return error;
            return 0;
        });
        int here = at(lab_.host(), [&] {
            std::vector<UniqueFd> sockets;
            Endpoint to("10.77.0.2", service);
            for (size_t i = 0; i < count; i++) {
                sockets.push_back(open_client(AF_INET, SOCK_DGRAM));
                if (int error = send_datagram(sockets.back().get(), &to, 'q', small_datagram))
                    return error;
            }
            for (const UniqueFd& socket : sockets)
                if (int error = receive_datagram(socket.get(), nullptr, 'a', small_datagram))
                    return error;
            return 0;
        });
        report(name, server.result(), here);
    }

    // The answer to a SYN comes from no socket then, and the connection from nowhere.
    void syn_cookies(const std::string& name) {
        auto set = [&](const char* value) {
            lab_.within(lab_.container(), [&] {
                UniqueFd fd(::open("/proc/sys/net/ipv4/tcp_syncookies", O_WRONLY | O_CLOEXEC));
                if (!fd || ::write(fd.get(), value, 1) != 1) give_up("set tcp_syncookies");
            });
        };
        set("2");
        stream(name + " (IPv4)", inside(), lab_.host(), "10.77.0.2", 1 << 20);
        stream(name + " (IPv6)", inside(), lab_.host(), "fd77::2", 1 << 20);
        set("1");
    }

    void outward(const std::string& ext) {
        Place there = on(lab_.ext());
        auto client = [&](const std::string& name, int type, const std::function<int()>& ask) {
            Actor server(there, [&](const auto& ready) {
                UniqueFd fd = open_server(Endpoint(ext, service), type);
                if (!fd) return errno;
                ready();
                return type == SOCK_STREAM ? serve_exchange(fd.get(), bulk_)
                                           : answer_by_datagram(fd.get(), large_datagram);
            });
            Actor asker(inside(), [&](const auto& ready) {
                ready();
                return ask();
            });
            int here = asker.result();
            report(name + " to " + ext, server.result(), here);
        };
        client("bulk each way over TCP", SOCK_STREAM,
               [&] { return exchange_with(Endpoint(ext, service), bulk_); });
        client("UDP", SOCK_DGRAM,
               [&] { return ask_by_datagram(Endpoint(ext, service), large_datagram); });
        if (lab_.world().is_relayed()) return;  // slirp4netns relays no ping over IPv6
        Actor pinger(inside(), [&](const auto& ready) {
            ready();
            return ping(Endpoint(ext, 0));
        });
        report("ping to " + ext, 0, pinger.result());
        report("ping from ext to the container's " +
                   std::string(ext == "fd78::2" ? "IPv6" : "IPv4") + " address",
               0, at(lab_.ext(), [&] {
                   return ping(Endpoint(ext == "fd78::2" ? "fd77::2" : "10.77.0.2", 0));
               }));
    }

    void within_itself(const std::string& address) {
        Actor server(inside(), [&](const auto& ready) {
            UniqueFd listener = open_server(Endpoint(address, service), SOCK_STREAM),
                     fd = open_server(Endpoint(address, service), SOCK_DGRAM);
            if (!listener || !fd) return errno;
            ready();
            int error = serve_exchange(listener.get(), 1 << 20);
            return error != 0 ? error : answer_by_datagram(fd.get(), small_datagram);
        });
        Actor client(inside(), [&](const auto& ready) {
            ready();
            int error = exchange_with(Endpoint(address, service), 1 << 20);
            if (error == 0) error = ask_by_datagram(Endpoint(address, service), small_datagram);
            return error != 0 ? error : ping(Endpoint(address, 0));
        });
        int here = client.result();
        report("TCP, UDP and ping inside the container at " + address, server.result(), here);
    }

    const Lab& lab_;
    Tally& tally_;
    const Cgroup &jail_, &free_;
    std::string where_;
    size_t bulk_;  // bytes each way of a long conversation
};

}  // namespace

void run_published(const Options& options, const Workplace& workplace, Lab& lab, Tally& tally) {
    const bool plain = lab.world().name == std::string("plain");
    Cgroup free = workplace.make_cgroup("published-free");
    auto publish = [&](const std::string& name, bool born_inside, const Annotations& annotations,
                       const std::string& where, bool outwards) {
        Cgroup jail = workplace.make_cgroup(name);
        lab.renew_container(born_inside ? jail.procs.get() : -1);
        HookResult result =
            run_hook(workplace, lab, options.hook, jail, lab.container(), annotations);
        errno = EPROTO;
        if (result.exit_code != 0) give_up("jail the publishing container: " + result.message);
        Published(lab, tally, jail, free, where, std::size_t{plain ? 20U : 1U} << 20).run(outwards);
    };
    publish("published", false, {}, "", true);
    if (!plain) return;
    // Engines make the network namespace, or the runtime does once it is in the container's cgroup;
    // the kernel's own sockets in there, which answer pings and closed ports, then belong to that
    // cgroup.
    publish("published-born", true, {}, ", in a namespace born in the cgroup", true);
    // The container's own addresses, and ext's, are blocked then.
    publish("published-private", false, {{"jail-ai.block-host.also", "private"}},
            ", with also=private", false);
}

}  // namespace escape
