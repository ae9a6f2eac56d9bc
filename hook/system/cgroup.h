// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The cgroup v2 of a container, found from its process and proved to be the container's alone.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "system/process.h"

namespace jail_ai {

class Cgroup {
public:
    // Finds and opens the process's cgroup. Errors, EX_CONFIG unless said otherwise: the root
    // cgroup, the caller's own or an ancestor of it, any process but this one in it or below it, no
    // cgroup v2 or no mount of it (EX_UNAVAILABLE), the process gone (EX_NOINPUT).
    static Result<Cgroup> for_sole_process(const Process& process);

    // The same for a hook that `runtime` has called. A container that is restored from disk has
    // CRIU beside it until it runs, which the runtime has started and put there, with what that has
    // forked (criu(8), runc-restore(8)).
    static Result<Cgroup> for_hook(const Process& process, pid_t runtime);

    // The cgroup of a process that has run for a while: every process in it or below it is in the
    // PID namespace of this one, which isn't the caller's. If it is the caller's, as
    // for_sole_process(). Errors as there.
    static Result<Cgroup> for_pid_namespace(const Process& process);

    // The cgroup that the administrator means, whatever is in it: by its path below the cgroup2
    // mount, or with that in front. Errors as for_sole_process(), but for the strangers.
    static Result<Cgroup> from_path(const std::string& path);

    // Proves again, for the cgroup that is open, what was proved of it: the process lives and is in
    // it, and so on. Of from_path(), nothing.
    Status recheck(const Process& process) const;

    // Was CRIU there, so that what the process holds is CRIU's until it runs?
    bool has_restorer() const { return has_restorer_; }

    // A process in it or below it; if they differ in that, one of the caller's network
    // namespace. Error: EX_NOINPUT if there is none.
    Result<Process> some_process() const;

    int fd() const { return fd_.get(); }
    const std::string& path() const {
        return path_;
    }  // below the cgroup2 mount, as /proc/PID/cgroup has it

private:
    enum class Members { only_the_process, with_its_restorer, of_its_pid_namespace, any };

    Cgroup(UniqueFd fd, std::string path, Members members)
        : fd_(std::move(fd)), path_(std::move(path)), members_(members) {}

    static Result<Cgroup> prove(const Process& process, Members members, pid_t runtime);
    enum class MemberKind { fellow, restorer, stranger };
    Result<MemberKind> classify(const Process& process, pid_t other) const;
    Result<bool> prove_members(const Process& process) const;

    static Result<Cgroup> open(const std::string& path, Members members);

    UniqueFd fd_;
    std::string path_;
    Members members_;
    pid_t runtime_ = 0;  // that may have started a restorer
    bool has_restorer_ = false;
};

}  // namespace jail_ai
