// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "sockets.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace jail_ai::test {
namespace {

constexpr std::size_t kRingBytes = 4096;

struct Mapping {
    Mapping(int fd, off_t offset)
        : at(::mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                    offset)) {}
    ~Mapping() {
        if (at != MAP_FAILED) ::munmap(at, kRingBytes);
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    explicit operator bool() const { return at != MAP_FAILED; }
    template <typename T>
    T* find(std::uint32_t offset) const {
        return reinterpret_cast<T*>(static_cast<char*>(at) + offset);
    }

    void* at;
};

int enter(int ring, unsigned submit, unsigned wait, unsigned flags) {
    return static_cast<int>(::syscall(SYS_io_uring_enter, ring, submit, wait, flags, nullptr, 0));
}

}  // namespace

int open_socket(const SocketKind& kind) {
    const int fd = ::socket(kind.family, kind.type, kind.protocol);
    return fd < 0 ? -errno : fd;
}

int open_socket_by_socketcall(const SocketKind& kind) {
#ifdef __x86_64__
    constexpr long kSocketcall = 102, kSocket = 1;
    void* low = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) return -errno;
    const std::array<std::int32_t, 3> arguments = {kind.family, kind.type, kind.protocol};
    std::memcpy(low, arguments.data(), sizeof arguments);
    long answer = kSocketcall;
    asm volatile("int $0x80"
                 : "+a"(answer)
                 : "b"(kSocket), "c"(low)
                 : "memory", "r8", "r9", "r10", "r11");
    ::munmap(low, 4096);
    return static_cast<int>(answer);
#else
    static_cast<void>(kind);
    return -ENOSYS;
#endif
}

int open_socket_by_io_uring(const SocketKind& kind, bool polled) {
    io_uring_params parameters{};
    if (polled) parameters.flags = IORING_SETUP_SQPOLL;
    const UniqueFd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 1, &parameters)));
    if (!ring) return -errno;
    const Mapping submissions(ring.get(), IORING_OFF_SQ_RING),
        completions(ring.get(), IORING_OFF_CQ_RING), entries(ring.get(), IORING_OFF_SQES);
    if (!submissions || !completions || !entries) return -errno;
    io_uring_sqe& entry = *entries.find<io_uring_sqe>(0);
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_SOCKET;
    entry.fd = kind.family;
    entry.off = static_cast<std::uint64_t>(kind.type);
    entry.len = static_cast<std::uint32_t>(kind.protocol);
    submissions.find<std::uint32_t>(parameters.sq_off.array)[0] = 0;
    __atomic_store_n(submissions.find<std::uint32_t>(parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (enter(ring.get(), 1, 1, IORING_ENTER_GETEVENTS | (polled ? IORING_ENTER_SQ_WAKEUP : 0U)) <
        0)
        return -errno;
    return completions.find<io_uring_cqe>(parameters.cq_off.cqes)[0].res;
}

int error_of(int descriptor) {
    const UniqueFd closed(descriptor);
    return descriptor < 0 ? -descriptor : 0;
}

}  // namespace jail_ai::test
