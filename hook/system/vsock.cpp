// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/vsock.h"

#include <sys/socket.h>  // which older <linux/vm_sockets.h> does not include

#include <linux/sock_diag.h>
#include <linux/vm_sockets.h>
#include <linux/vm_sockets_diag.h>

#include <set>

#include "base/absence.h"
#include "base/unique_fd.h"
#include "system/file.h"
#include "system/netlink_dump.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::uint8_t kListening = 10;  // TCP_LISTEN of the kernel's enum, which vsock uses, too
constexpr int kDumpTries = 8;

// A row of /proc/net/protocols a loaded protocol family.
Result<bool> kernel_has_vsock() {
    auto self = TRY(open_proc_self());
    auto protocols = TRY(read_kernel_file(self.get(), "net/protocols"));
    return protocols.starts_with("AF_VSOCK ") || protocols.find("\nAF_VSOCK ") != std::string::npos;
}

// The transport that takes one process's connection to another on this machine (vsock_loopback):
// its address is there to be bound to.
Result<bool> loops_back() {
    const UniqueFd fd(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd && means_absent(Sought::socket_family, errno)) return false;
    if (!fd) return system_error("make a socket", errno);
    sockaddr_vm local{};
    local.svm_family = AF_VSOCK;
    local.svm_cid = VMADDR_CID_LOCAL;
    local.svm_port = VMADDR_PORT_ANY;
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0 ||
           errno != EADDRNOTAVAIL;
}

}  // namespace

Result<VsockListeners> find_vsock_listeners() {
    auto there = TRY(kernel_has_vsock());
    if (!there) return VsockListeners{true, {}};
    const bool loops = TRY(loops_back());
    if (!loops) return VsockListeners{true, {}};
    const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!fd) return system_error("sock_diag socket", errno);
    vsock_diag_req request{};
    request.sdiag_family = AF_VSOCK;
    request.vdiag_states = ~0U;
    for (int attempt = 0; attempt < kDumpTries; ++attempt) {
        std::set<std::uint32_t> ports;
        auto done =
            TRY(dump_once<vsock_diag_msg>(
                    fd.get(), SOCK_DIAG_BY_FAMILY, &request, sizeof request,
                    [&](const vsock_diag_msg& socket, const Attributes& /*none*/) {
                        if (socket.vdiag_state == kListening || socket.vdiag_type == SOCK_DGRAM)
                            ports.insert(socket.vdiag_src_port);
                    })
                    .context("sock_diag"));
        if (done.error != 0) return VsockListeners{false, {}};  // a kernel without vsock_diag
        if (done.consistent) return VsockListeners{true, {ports.begin(), ports.end()}};
    }
    return VsockListeners{false, {}};
}

}  // namespace jail_ai
