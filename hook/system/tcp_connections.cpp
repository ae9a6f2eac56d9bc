// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// sock_diag(7) speaks for the network namespace in which its socket was made, so that each is
// entered for as long as that takes.
#include "system/tcp_connections.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "base/absence.h"
#include "base/lines.h"
#include "base/unique_fd.h"
#include "system/cgroup_walk.h"
#include "system/file.h"
#include "system/netlink_dump.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr int kDumpTries = 8;
// Those that have a peer and may still send to it.
constexpr std::uint32_t kStates = 1U << TCP_ESTABLISHED | 1U << TCP_SYN_SENT | 1U << TCP_SYN_RECV |
                                  1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSE_WAIT |
                                  1U << TCP_LAST_ACK | 1U << TCP_CLOSING;

struct Members {
    std::set<std::uint64_t> cgroups;       // their ids
    std::map<ino_t, UniqueFd> namespaces;  // network namespaces of their processes
};

Error no_sock_diag() {
    return {EX_UNAVAILABLE,
            "end a connection: this kernel lacks the module tcp_diag, or CONFIG_INET_DIAG_DESTROY"};
}

bool has_gone(int number) {
    return means_absent(Sought::kernel_file, number);
}

// Does a protocol have sockets in the network namespace of a process, by its file in /proc/PID/net?
// The kernel counts them there, and to list them goes through those of all namespaces.
Result<bool> has_sockets(std::string_view number, std::string_view file,
                         std::string_view protocol) {
    const std::string path = fmt::format("/proc/{}/net/{}", number, file);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && has_gone(errno)) return false;  // the process, or IPv6
    if (!fd) return system_error(fmt::format("open {}", path), errno);
    std::array<char, 1024> buffer;
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && has_gone(errno)) return false;
    if (got < 0) return system_error(fmt::format("read {}", path), errno);
    const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
    return text.find(fmt::format("{}: inuse 0", protocol)) == std::string_view::npos;
}

Status add_process(std::string_view number, Members& members) {
    const std::string path = fmt::format("/proc/{}/ns/net", number);
    UniqueFd network(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!network)
        return has_gone(errno) ? ok() : Status(system_error(fmt::format("open {}", path), errno));
    struct stat info {};
    if (::fstat(network.get(), &info) != 0)
        return system_error(fmt::format("stat {}", path), errno);
    if (members.namespaces.contains(info.st_ino)) return ok();
    const auto has_v4 = TRY(has_sockets(number, "sockstat", "TCP"));
    const auto has_v6 = TRY(has_sockets(number, "sockstat6", "TCP6"));
    if (has_v4 || has_v6) members.namespaces.emplace(info.st_ino, std::move(network));
    return ok();
}

Status add_cgroup(int fd, Members& members) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return system_error("stat a cgroup", errno);
    members.cgroups.insert(info.st_ino);
    // A threaded cgroup has no list of processes; that of the one above has them.
    const UniqueFd list(::openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC));
    if (!list) return has_gone(errno) ? ok() : Status(system_error("open cgroup.procs", errno));
    std::array<char, 64U << 10> buffer;
    std::string text;
    while (true) {
        const ssize_t got = ::read(list.get(), buffer.data(), buffer.size());
        if (got < 0 && (errno == EOPNOTSUPP || has_gone(errno))) return ok();
        if (got < 0) return system_error("read cgroup.procs", errno);
        if (got == 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    std::string_view left = text;
    while (!left.empty()) TRY(add_process(next_line(left), members));
    return ok();
}

// Asks for both families at once, which only the older form of the request can: the kernel goes
// through its whole table of connections for each request.
struct Request {
    inet_diag_req body;
    nlattr storages;
    nlattr map;
    std::uint32_t map_fd;
};
static_assert(sizeof(Request) == sizeof(inet_diag_req) + 2 * NLA_HDRLEN + sizeof(std::uint32_t));

Request request_for(int map_fd) {
    Request request{};
    request.body.idiag_states = kStates;
    request.storages = {static_cast<std::uint16_t>(sizeof request - sizeof request.body),
                        static_cast<std::uint16_t>(INET_DIAG_REQ_SK_BPF_STORAGES | NLA_F_NESTED)};
    request.map = {static_cast<std::uint16_t>(NLA_HDRLEN + sizeof request.map_fd),
                   SK_DIAG_BPF_STORAGE_REQ_MAP_FD};
    request.map_fd = static_cast<std::uint32_t>(map_fd);
    return request;
}

std::uint64_t cgroup_of(const Attributes& attributes) {
    std::uint64_t id = 0;
    if (attributes[INET_DIAG_CGROUP_ID].size() == sizeof id)
        std::memcpy(&id, attributes[INET_DIAG_CGROUP_ID].data(), sizeof id);
    return id;
}

TcpPeer peer_of(const inet_diag_msg& socket) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(socket.id.idiag_dst);
    const bool v4 = socket.idiag_family == AF_INET;
    return {*IpPrefix::from_bytes(std::span(bytes, v4 ? 4 : 16), v4 ? 32 : 128),
            ntohs(socket.id.idiag_dport)};
}

Status destroy(int fd, const inet_diag_msg& socket) {
    struct {
        nlmsghdr header;
        inet_diag_req_v2 body;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DESTROY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.body.sdiag_family = socket.idiag_family;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.id = socket.id;
    if (::send(fd, &request, sizeof request, 0) < 0)
        return system_error("send to sock_diag", errno);
    struct {
        nlmsghdr header;
        nlmsgerr body;
    } answer{};
    if (::recv(fd, &answer, sizeof answer, 0) < 0)
        return system_error("hear from sock_diag", errno);
    const int failed = answer.header.nlmsg_type == NLMSG_ERROR ? -answer.body.error : 0;
    if (failed == EOPNOTSUPP) return no_sock_diag();
    if (failed != 0 && failed != ENOENT) return system_error("end a connection", failed);
    return ok();
}

// A socket that speaks for the other network namespace; the caller stays in its own.
Result<UniqueFd> open_diag_in(int network) {
    const UniqueFd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!home) return system_error("open the own network namespace", errno);
    if (::setns(network, CLONE_NEWNET) != 0)
        return system_error("enter a network namespace of the container", errno);
    UniqueFd diag(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    const int failed = errno;
    if (::setns(home.get(), CLONE_NEWNET) != 0)
        return system_error("return to the own network namespace", errno);
    if (!diag) return system_error("sock_diag socket", failed);
    return diag;
}

Result<std::vector<inet_diag_msg>> list_sockets(
    int diag, int map_fd, const Members& members,
    const std::function<bool(const TcpPeer& peer)>& ends) {
    const Request request = request_for(map_fd);
    std::vector<inet_diag_msg> found;
    for (int attempt = 0; attempt < kDumpTries; ++attempt) {
        found.clear();
        auto done = TRY(dump_once<inet_diag_msg>(
                            diag, TCPDIAG_GETSOCK, &request, sizeof request,
                            [&](const inet_diag_msg& socket, const Attributes& attributes) {
                                if (attributes[INET_DIAG_SK_BPF_STORAGES].empty() &&
                                    members.cgroups.contains(cgroup_of(attributes)) &&
                                    ends(peer_of(socket)))
                                    found.push_back(socket);
                            })
                            .context("sock_diag"));
        if (done.error == ENOENT || done.error == EOPNOTSUPP) return no_sock_diag();
        if (done.error != 0) return system_error("sock_diag", done.error);
        if (done.consistent) break;
    }
    return found;
}

}  // namespace

Result<unsigned> end_tcp_connections(int cgroup_fd, int without_storage_in,
                                     const std::function<bool(const TcpPeer& peer)>& ends) {
    Members members;
    TRY(walk_down(cgroup_fd, [&](int fd, const std::string& /*below*/) -> Result<Walk> {
        TRY(add_cgroup(fd, members));
        return Walk::on;
    }));
    unsigned ended = 0;
    for (const auto& [inode, network] : members.namespaces) {
        auto diag = TRY(open_diag_in(network.get()));
        auto sockets = TRY(list_sockets(diag.get(), without_storage_in, members, ends));
        for (const inet_diag_msg& socket : sockets) {
            TRY(destroy(diag.get(), socket));
            ++ended;
        }
    }
    return ended;
}

}  // namespace jail_ai
