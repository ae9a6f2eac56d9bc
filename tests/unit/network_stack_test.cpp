// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which runtimes are known to have a network stack of their own.
#include "engines/userspace_network_stack.h"

#include <doctest/doctest.h>

using namespace jail_ai;

TEST_CASE("network stack: gVisor, Kata and virtual machines have their own") {
    CHECK(userspace_network_stack("/usr/bin/runsc", "runsc-sandbox") == "gVisor");
    CHECK(userspace_network_stack("/usr/local/bin/containerd-shim-runsc-v1",
                                  "containerd-shim-runsc-v1") == "gVisor");
    CHECK(userspace_network_stack("/opt/kata/bin/containerd-shim-kata-v2", "shim") ==
          "Kata Containers");
    CHECK(userspace_network_stack("/usr/bin/kata-runtime", "kata-runtime") == "Kata Containers");
    CHECK(userspace_network_stack("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64") ==
          "a virtual machine");
    CHECK(userspace_network_stack("/usr/bin/urunc", "urunc") == "a unikernel");
    CHECK(userspace_network_stack("/usr/bin/runsc (deleted)", "") == "gVisor");
    CHECK(userspace_network_stack("/usr/bin/crun", "/usr/bin/krun") == "krun");
    CHECK(userspace_network_stack("/usr/bin/krun", "crun") == "krun");
}

TEST_CASE("network stack: other runtimes use the kernel's") {
    for (const char* runtime : {"/usr/bin/crun", "/usr/sbin/runc", "/usr/libexec/crio/runc",
                                "/memfd:runc_cloned:/proc/self/exe (deleted)", "/usr/bin/youki",
                                "/usr/bin/conmon", "/usr/bin/containerd-shim-runc-v2", ""})
        CHECK(userspace_network_stack(runtime, runtime) == "");
    CHECK(userspace_network_stack("/usr/bin/crun", "/home/krun/crun") == "");
}

TEST_CASE("network stack: an annotation makes crun start a virtual machine") {
    CHECK(userspace_network_stack(Annotations{{"run.oci.handler", "krun"}}) == "krun");
    CHECK(userspace_network_stack(Annotations{{"run.oci.handler", "wasm"}}) == "");
    CHECK(userspace_network_stack(Annotations{{"io.podman.annotations.seccomp", "krun"}}) == "");
}

TEST_CASE("network stack: runtimes that are tested are known, and others are not") {
    for (const auto& [executable, called] :
         {std::pair{"/usr/bin/crun", "crun"},
          {"/usr/sbin/runc", "/usr/sbin/runc"},
          {"/usr/bin/runc (deleted)", "x"},
          {"/memfd:runc_cloned:/proc/self/exe (deleted)", "runc"},
          {"/proc/self/exe (deleted)", "/usr/bin/crun"},
          {"/opt/crun-1.21", ""}})
        CHECK(is_known_runtime(executable, called));
    for (const auto& [executable, called] : {std::pair{"/usr/bin/youki", "youki"},
                                             {"/usr/bin/sysbox-runc", "sysbox-runc"},
                                             {"/opt/runc/other", "runc/other"},
                                             {"", ""}})
        CHECK_FALSE(is_known_runtime(executable, called));
}
