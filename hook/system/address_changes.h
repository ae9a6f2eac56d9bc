// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The kernel's word that addresses of the caller's network namespace have changed (rtnetlink(7)).
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

class AddressChanges {
public:
    // From now on nothing is missed. Error: EX_OSERR.
    static Result<AddressChanges> open();

    // Readable once something has changed.
    int fd() const { return fd_.get(); }

    // Reads what there is, without waiting: was there anything, or so much that the kernel has
    // thrown some of it away?
    Result<bool> take();

private:
    explicit AddressChanges(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

}  // namespace jail_ai
