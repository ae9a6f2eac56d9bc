// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/slot.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "system/lock_file.h"

namespace jail_ai {
namespace {

constexpr const char* kFile = "slots";
// Descriptors are closed in the order of their numbers when a process ends. If a user's
// descriptor, which has a lower one, makes that wait (a file on FUSE before Linux 6.4), the slot
// stays taken meanwhile: it is that user's own.
constexpr int kHighDescriptor = 200;

Result<UniqueFd> open_file() {
    auto low = open_runtime_file(kFile);
    if (!low) return low;
    UniqueFd fd(::fcntl(low->get(), F_DUPFD_CLOEXEC, kHighDescriptor));
    if (!fd) return system_error("keep the slots' descriptor", errno);
    return fd;
}

}  // namespace

Result<Slot> Slot::take(const Peer& peer) {
    auto file = TRY(open_file());
    for (int slot = 0; slot < kSlotsOfUser; ++slot) {
        struct flock byte {};
        byte.l_type = F_WRLCK;
        byte.l_whence = SEEK_SET;
        byte.l_start = static_cast<off_t>(peer.uid) * kSlotsOfUser + slot;
        byte.l_len = 1;
        if (::fcntl(file.get(), F_OFD_SETLK, &byte) == 0) return Slot(std::move(file));
        if (errno != EAGAIN && errno != EACCES) return system_error("lock a slot", errno);
    }
    return Error{EX_TEMPFAIL, fmt::format("busy: {} requests of uid {} are being served",
                                          kSlotsOfUser, peer.uid)};
}

}  // namespace jail_ai
