// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A table with a chain for what is sent, with a rule that only loads the connection's state.
#include "connection_tracking.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "must.h"

namespace jail_ai::test {
namespace {

constexpr std::uint8_t kFamilies[] = {2 /* NFPROTO_IPV4 */, 10 /* NFPROTO_IPV6 */};
constexpr std::uint32_t kLocalOut = 3;  // NF_INET_LOCAL_OUT
constexpr const char* kTable = "jail-ai-test";
constexpr const char* kChain = "out";

class Batch {
public:
    Batch() { begin(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES); }

    void begin(int type, int flags, std::uint8_t family, std::uint16_t resource = 0) {
        message_ = bytes_.size();
        nlmsghdr header{};
        header.nlmsg_type = static_cast<std::uint16_t>(type);
        header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        append(&header, sizeof header);
        const nfgenmsg about{family, NFNETLINK_V0, htons(resource)};
        append(&about, sizeof about);
    }
    void change(int type, int flags, std::uint8_t family) {
        begin(NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_ACK | flags, family);
    }
    std::size_t open_nest(int type) {
        const std::size_t at = bytes_.size();
        attribute(type | NLA_F_NESTED, nullptr, 0);
        return at;
    }
    void close_nest(std::size_t at) {
        const auto size = static_cast<std::uint16_t>(bytes_.size() - at);
        std::memcpy(&bytes_[at], &size, sizeof size);
        grow();
    }
    void text(int type, const char* value) { attribute(type, value, std::strlen(value) + 1); }
    void number(int type, std::uint32_t value) {
        const std::uint32_t big = htonl(value);
        attribute(type, &big, sizeof big);
    }
    std::string finish() {
        begin(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES);
        return bytes_;
    }

private:
    void attribute(int type, const void* value, std::size_t size) {
        const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + size),
                            static_cast<std::uint16_t>(type)};
        append(&header, sizeof header);
        append(value, size);
    }
    void append(const void* data, std::size_t size) {
        bytes_.append(static_cast<const char*>(data), size);
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
        grow();
    }
    // The length of the message is right at every step.
    void grow() {
        const auto size = static_cast<std::uint32_t>(bytes_.size() - message_);
        std::memcpy(&bytes_[message_], &size, sizeof size);
    }

    std::string bytes_;
    std::size_t message_ = 0;
};

void track(Batch& batch, std::uint8_t family) {
    batch.change(NFT_MSG_NEWTABLE, NLM_F_CREATE, family);
    batch.text(NFTA_TABLE_NAME, kTable);
    batch.change(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
    batch.text(NFTA_CHAIN_TABLE, kTable);
    batch.text(NFTA_CHAIN_NAME, kChain);
    const std::size_t hook = batch.open_nest(NFTA_CHAIN_HOOK);
    batch.number(NFTA_HOOK_HOOKNUM, kLocalOut);
    batch.number(NFTA_HOOK_PRIORITY, 0);
    batch.close_nest(hook);
    batch.text(NFTA_CHAIN_TYPE, "filter");
    batch.change(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
    batch.text(NFTA_RULE_TABLE, kTable);
    batch.text(NFTA_RULE_CHAIN, kChain);
    const std::size_t expressions = batch.open_nest(NFTA_RULE_EXPRESSIONS),
                      element = batch.open_nest(NFTA_LIST_ELEM);
    batch.text(NFTA_EXPR_NAME, "ct");
    const std::size_t data = batch.open_nest(NFTA_EXPR_DATA);
    batch.number(NFTA_CT_KEY, NFT_CT_STATE);
    batch.number(NFTA_CT_DREG, NFT_REG_1);
    batch.close_nest(data);
    batch.close_nest(element);
    batch.close_nest(expressions);
}

// 0, or the errno of the first change that failed; the kernel then makes none of them.
int commit(int socket, const std::string& batch, int changes) {
    if (::send(socket, batch.data(), batch.size(), 0) < 0) return errno;
    while (changes > 0) {
        alignas(nlmsghdr) char answer[8192];
        const ssize_t got = ::recv(socket, answer, sizeof answer, 0);
        if (got < 0) return errno;
        auto left = static_cast<std::uint32_t>(got);
        for (auto* header = reinterpret_cast<nlmsghdr*>(answer); NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type != NLMSG_ERROR) continue;
            const int error = reinterpret_cast<const nlmsgerr*>(
                                  reinterpret_cast<const char*>(header) + NLMSG_HDRLEN)
                                  ->error;
            if (error != 0) return -error;
            --changes;
        }
    }
    return 0;
}

}  // namespace

ConnectionTracking::ConnectionTracking(const NetworkNamespace& where) {
    const Visit visit(where);
    socket_ = UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!socket_) {
        error_ = errno;
        return;
    }
    Batch batch;
    for (const std::uint8_t family : kFamilies) track(batch, family);
    error_ = commit(socket_.get(), batch.finish(), 6);
}

ConnectionTracking::~ConnectionTracking() {
    if (!socket_ || error_ != 0) return;
    Batch batch;
    for (const std::uint8_t family : kFamilies) {
        batch.change(NFT_MSG_DELTABLE, 0, family);
        batch.text(NFTA_TABLE_NAME, kTable);
    }
    commit(socket_.get(), batch.finish(), 2);
}

}  // namespace jail_ai::test
