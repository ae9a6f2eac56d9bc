// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Attaching programs to a cgroup as one thing: all of them, asked back from the kernel, or none.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "jail/pending.h"
#include "jail/program_table.h"
#include "system/cgroup.h"

namespace jail_ai {

struct LoadedProgram {
    const ProgramSlot* slot;
    UniqueFd fd;
};

// What to do with programs of ours that are on the cgroup already.
enum class Existing {
    replace,  // anyone who runs the hook as root may change the policy
    reject,   // of another caller: the new jail could be looser. Until it is kept, it is marked as
              // pending (jail/pending.h)
};

Error already_jailed(const Cgroup& cgroup);

// Takes every program of ours off the cgroup, if there is any: how many there were. Error:
// EX_OSERR; some are still attached then.
Result<std::size_t> detach_jail(int cgroup_fd);

// Programs attached to a cgroup. Unless keep() is called, destruction detaches them and puts back
// the ones that they replaced.
class Attachment {
public:
    // Attaches every program with BPF_F_ALLOW_MULTI (without it a program of a child cgroup could
    // replace them), in place of ours that is there already, and fails unless the kernel then lists
    // exactly what was meant. After a failure the cgroup is as it was before. The cgroup must
    // outlive the attachment. Of two that run at once and reject an existing jail, at most one
    // succeeds: each looks again after it has attached. Needs CAP_BPF, CAP_NET_ADMIN and, to look
    // at what is attached, CAP_SYS_ADMIN.
    static Result<Attachment> make(std::vector<LoadedProgram> programs, const Cgroup& cgroup,
                                   Existing existing);

    Attachment(Attachment&&) = default;
    Attachment& operator=(Attachment&&) = delete;
    ~Attachment();

    void keep() {
        done_.clear();
        mark_.reset();
    }

private:
    struct Step {
        LoadedProgram program;
        UniqueFd replaced;  // empty when there was nothing to replace
    };

    explicit Attachment(int cgroup_fd) : cgroup_fd_(cgroup_fd) {}
    int undo(const Step& step) const;  // 0 or an errno

    int cgroup_fd_;
    std::optional<PendingMark> mark_;  // goes after what was attached
    std::vector<Step> done_;
};

}  // namespace jail_ai
