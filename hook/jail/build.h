// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Building a jail: programs loaded, maps filled, attached, and the kernel asked whether it is so. A Jail cannot exist with unfilled maps,
// and what is attached is taken away again unless somebody says that it shall stay.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "jail/program_table.h"
#include "policy/policy.h"
#include "system/cgroup.h"

struct jail_bpf;  // the skeleton that bpftool makes of bpf/jail.bpf.c

namespace jail_ai {

struct SkeletonDeleter {
    void operator()(jail_bpf* skeleton) const;
};
using Skeleton = std::unique_ptr<jail_bpf, SkeletonDeleter>;

// Programs attached to a cgroup. Unless keep() is called, destruction detaches them and puts back the ones that they replaced.
class Attachment {
public:
    Attachment(Attachment&&) = default;
    Attachment& operator=(Attachment&&) = delete;
    ~Attachment();

    void keep() { done_.clear(); }

private:
    friend class Jail;
    struct Step {
        const ProgramSlot* slot;
        int program_fd;
        UniqueFd replaced;  // empty when there was nothing to replace
    };

    Attachment(Skeleton skeleton, int cgroup_fd) : skeleton_(std::move(skeleton)), cgroup_fd_(cgroup_fd) {}

    Skeleton skeleton_;
    int cgroup_fd_;
    std::vector<Step> done_;
};

class Jail {
public:
    // Loads the programs and fills the maps; attaches nothing. Needs CAP_BPF and CAP_NET_ADMIN in the initial user namespace. Errors:
    // EX_NOPERM, EX_UNAVAILABLE for a kernel that can't, EX_OSERR.
    static Result<Jail> load(const Policy& policy);

    // Attaches every program with BPF_F_ALLOW_MULTI (without it anybody could detach them), in place of ours that is there already, and
    // fails unless the kernel then lists exactly what was meant. After a failure the cgroup is as it was before. The cgroup must outlive
    // the attachment. Needs CAP_SYS_ADMIN besides, to look at what is attached.
    Result<Attachment> attach(const Cgroup& cgroup) &&;

private:
    explicit Jail(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}

    Skeleton skeleton_;
};

}  // namespace jail_ai
