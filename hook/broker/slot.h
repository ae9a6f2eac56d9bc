// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How many requests of one user are served at once, so that no user's slow or many ones take what
// all brokers together may have.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "broker/authorisation.h"

namespace jail_ai {

inline constexpr int kSlotsOfUser = 4;

// Held until it is destroyed, or until the process has ended in whatever way: a byte of a file that
// only root opens is locked (F_OFD_SETLK, fcntl(2)), one of kSlotsOfUser for each uid. The file
// holds nothing.
class Slot {
public:
    // Errors: EX_TEMPFAIL if the user has all of them, EX_OSERR if the file can't be had. The
    // directory is made if it isn't there.
    static Result<Slot> take(const Peer& peer);

private:
    explicit Slot(UniqueFd file) : file_(std::move(file)) {}

    UniqueFd file_;
};

}  // namespace jail_ai
