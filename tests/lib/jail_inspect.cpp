// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Tells shell tests what is attached to a cgroup and what it denied: lines "program NAME ID TYPE
// FLAGS" and "denied REASON COUNT".
#include <fcntl.h>

#include <cstdio>

#include "base/unique_fd.h"
#include "jail/inspect.h"
#include "policy/reason.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: jail-inspect CGROUP_DIRECTORY\n", stderr);
        return EX_USAGE;
    }
    const jail_ai::UniqueFd cgroup(::open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!cgroup) {
        std::perror(argv[1]);
        return EX_NOINPUT;
    }
    const auto programs = jail_ai::attached_programs(cgroup.get());
    const auto denials = jail_ai::read_denials(cgroup.get());
    if (!programs || !denials) {
        std::fprintf(stderr, "%s\n",
                     (programs ? denials.error() : programs.error()).message.c_str());
        return EX_OSERR;
    }
    for (const auto& program : *programs)
        std::printf("program %s %u %u %u\n", program.name.c_str(), program.id, program.attach_type,
                    program.attach_flags);
    for (std::size_t reason = 0; reason < denials->size(); ++reason)
        if ((*denials)[reason] != 0)
            std::printf("denied %s %llu\n",
                        jail_ai::reason_name(static_cast<jail_reason>(reason)).data(),
                        static_cast<unsigned long long>((*denials)[reason]));
    return 0;
}
