// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Self-confinement: before the first byte from outside is parsed, the process gives up what it will
// not need, so that an attacker who takes it over by what it parses has little to work with.
//
// # Theory of operation
//
// There are six phases, each of which says what it does, and what it must not do yet because a
// later one needs it. The verb calls them in this order, and a test holds the state of the process
// at its first message, or the broker's at its first read, against this list. Hooks have standard
// input in memory by then, and have at most searched it for a word (container/asking.h).
//
// 1. own()        hook/main.cpp, before anything else. Descriptors above 2 that the engine left
//                 open are closed, the environment is dropped, signals are unblocked. Must not read
//                 standard input or open anything but /dev/null in place of a missing standard
//                 descriptor.
// 2. prepare      What the filter is going to forbid and the verb has to have is opened: the
//                 connection to syslog, the time zone. The prober is started, which does what takes
//                 a process in the container's cgroup and IP sockets, and goes through phases 3 to
//                 6 by itself, with a list of its own (it may have a child, and no BPF). It parses
//                 nothing: its messages are of a fixed size. Memory for BPF is unlimited, which
//                 takes CAP_SYS_RESOURCE (Linux before 5.11 counts it against RLIMIT_MEMLOCK). Must
//                 not open what another than the administrator chose.
// 3. no traces    Not dumpable: no core file with what was read, no debugger of the same user, and
//                 /proc/PID is root's. No children. From here on, in a user namespace, the process
//                 has no right to its own /proc/self/mem, environ or maps; nothing here reads
//                 these.
// 4. privileges   no_new_privs, without which an unprivileged caller could not have phases 5 and 6.
//                 Then ambient set, bounding set, secure bits and last the capabilities themselves:
//                 the ones in use remain (capabilities.cpp gives each its reason), in none but the
//                 permitted and effective sets. Must keep CAP_SETPCAP until the bounding set is
//                 done.
// 5. Landlock     For precreate, which looks into no other process: nothing is written, executed,
//                 made or renamed in any file system, no TCP, no abstract socket, no signal to
//                 others; only /proc and /sys are read. Only if the kernel has it. Not for the
//                 others: a process in a Landlock domain has no ptrace access to any process
//                 outside of it, whatever its capabilities, and so neither to the container's
//                 namespaces (/proc/PID/ns) nor to its descriptors, and which process that is only
//                 the state on standard input says. What Landlock would do for them, the filter
//                 does: it lets no file be opened for writing and makes no connection (that to the
//                 broker apart).
// 6. filter       seccomp: a list of system calls, by role, with their arguments if these
//                 decide; any other call kills the process, and the container does not start. Last,
//                 because it forbids everything that the phases before it did. filter/calls.h is
//                 the list.
//
// The verb runtime confines nothing, because it becomes a runtime. What a container's config.json
// says it has read by a precreate of its own, which is confined.
//
// The container is rejected if a phase fails. What the kernel lacks is not a failure if it is
// only Landlock; all kernels that the hook runs on have the rest. A build with sanitizers or for
// coverage has no filter, because their run-time libraries call what they like.
#pragma once

#include "base/result.h"

namespace jail_ai {

enum class Role {
    create_runtime,  // looks at a container, loads and attaches
    precreate,       // changes a document
    ask_broker,      // createRuntime in a user namespace: hands the state on to the broker
    broker,          // create_runtime for another user, at the other end of a socket
    prober,          // makes sockets in the container's cgroup for either of them (system/prober.h)
    // Root's, to look at jails and at the names of containers: status and log.
    show,
    verify,       // the same, and tries whether jails act, by the prober; doctor
    detach,       // the same, and removes a jail
    attach,       // create_runtime for a container that runs
    explain,      // show, and compiles policies
    refresh,      // the same, writes rules and ends connections
    watch,        // the same, and follow
    follow,       // show, of denials as they happen
    ask_to_show,  // show for another user, who asks the broker
};

// Phases 2 to 6. To be called once, before the first byte from outside is parsed; then there is no
// way back. From then on report() works, and most else kills. Errors: EX_OSERR or EX_NOPERM; the
// process is as confined as it came, and must end.
Status confine(Role role);

// Starts the prober, confined, for a verb that needs it before it confines itself.
Status start_prober();

}  // namespace jail_ai
