// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "l2tp.h"

#include <linux/genetlink.h>
#include <linux/l2tp.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace jail_ai::test {
namespace {

class Request {
public:
    Request(std::uint16_t family, std::uint8_t command, std::uint8_t version) {
        header()->nlmsg_type = family;
        header()->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        header()->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
        genlmsghdr generic{};
        generic.cmd = command;
        generic.version = version;
        std::memcpy(bytes_ + NLMSG_HDRLEN, &generic, sizeof generic);
    }
    Request& attribute(std::uint16_t type, const void* value, std::uint16_t size) {
        nlattr head{static_cast<std::uint16_t>(NLA_HDRLEN + size), type};
        std::memcpy(bytes_ + header()->nlmsg_len, &head, sizeof head);
        std::memcpy(bytes_ + header()->nlmsg_len + NLA_HDRLEN, value, size);
        header()->nlmsg_len += NLA_ALIGN(head.nla_len);
        return *this;
    }
    template <typename T>
    Request& attribute(std::uint16_t type, T value) {
        return attribute(type, &value, sizeof value);
    }
    // Leaves the first answer in `answer`; 0, or the errno that it carries.
    int exchange(int socket, char* answer, std::size_t size) {
        if (::send(socket, bytes_, header()->nlmsg_len, 0) < 0) return errno;
        if (::recv(socket, answer, size, 0) < 0) return errno;
        nlmsghdr head;
        std::memcpy(&head, answer, sizeof head);
        if (head.nlmsg_type != NLMSG_ERROR) return 0;
        nlmsgerr error;
        std::memcpy(&error, answer + NLMSG_HDRLEN, sizeof error);
        return -error.error;
    }

private:
    nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(bytes_); }

    alignas(nlmsghdr) char bytes_[512]{};
};

// 0 if the answer names none.
std::uint16_t family_in(const char* answer) {
    nlmsghdr head;
    std::memcpy(&head, answer, sizeof head);
    for (std::size_t at = NLMSG_HDRLEN + GENL_HDRLEN; at + NLA_HDRLEN <= head.nlmsg_len;) {
        nlattr attribute;
        std::memcpy(&attribute, answer + at, sizeof attribute);
        if (attribute.nla_len < NLA_HDRLEN) break;
        std::uint16_t family = 0;
        if (attribute.nla_type == CTRL_ATTR_FAMILY_ID) {
            std::memcpy(&family, answer + at + NLA_HDRLEN, sizeof family);
            return family;
        }
        at += NLA_ALIGN(attribute.nla_len);
    }
    return 0;
}

}  // namespace

int make_l2tp_tunnel(std::uint32_t id, std::uint32_t from, std::uint32_t to) {
    const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
    if (!socket) return errno;
    char answer[8192];
    Request find(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
    find.attribute(CTRL_ATTR_FAMILY_NAME, L2TP_GENL_NAME, sizeof L2TP_GENL_NAME);
    if (const int error = find.exchange(socket.get(), answer, sizeof answer); error != 0)
        return error;
    const std::uint16_t family = family_in(answer);
    // The family's answer is followed by an acknowledgement.
    char acknowledged[512];
    if (::recv(socket.get(), acknowledged, sizeof acknowledged, 0) < 0) return errno;
    Request create(family, L2TP_CMD_TUNNEL_CREATE, L2TP_GENL_VERSION);
    create.attribute(L2TP_ATTR_CONN_ID, id).attribute(L2TP_ATTR_PEER_CONN_ID, id);
    create.attribute(L2TP_ATTR_PROTO_VERSION, std::uint8_t{3})
        .attribute(L2TP_ATTR_ENCAP_TYPE, std::uint16_t{L2TP_ENCAPTYPE_IP});
    create.attribute(L2TP_ATTR_IP_SADDR, from).attribute(L2TP_ATTR_IP_DADDR, to);
    return create.exchange(socket.get(), answer, sizeof answer);
}

}  // namespace jail_ai::test
