// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Cgroups of the tests' own: made below the suite's one, removed with everything in them. No test
// attaches anything to another cgroup.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"

namespace jail_ai::test {

// Where the whole cgroup2 hierarchy of this cgroup namespace is mounted, by /proc/self/mountinfo;
// empty if it isn't.
std::string cgroup2_mount();

// Kills what is in the cgroup or below it and removes them all; waits for the kernel. Throws where
// that takes more than a few seconds.
void remove_cgroup(const std::string& path);

class TestCgroup {
public:
    // All cgroups of the suite are below this one, which whoever runs the suite made and removes.
    static void set_suite_root(const std::string& path);

    TestCgroup();
    explicit TestCgroup(const TestCgroup& parent,
                        const std::string& name);  // a child, removed with or before its parent
    // Beside the suite's one, for what takes a cgroup without processes all the way up.
    enum AtTheTop { at_the_top };
    TestCgroup(AtTheTop, const std::string& name);
    ~TestCgroup();
    TestCgroup(const TestCgroup&) = delete;
    TestCgroup& operator=(const TestCgroup&) = delete;

    const std::string& path() const { return path_; }
    int fd() const { return fd_.get(); }  // of the directory
    void add(pid_t pid) const;
    void remove();

private:
    std::string path_;
    UniqueFd fd_;
};

}  // namespace jail_ai::test
