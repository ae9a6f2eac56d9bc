// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One fault in one system call of a process, or of one that it has started, by ptrace(2).
//
// The call isn't made: getppid(2) is, which every list of sandbox/filter/calls.h has, and its
// result is exchanged. So the binary under test is the one that is shipped, with its filter. (What
// `strace --inject=error` puts in place of a call, number -1, is on no list, and kills.)
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace jail_ai::test {

enum class Kind {
    eintr,
    enomem,
    eperm,
    eio,
    enoent,       // not among kKinds: this one means that there is no such thing
    short_count,  // as little as the kernel may give or take
    deadline,     // the call lasts until the deadline passes: SIGALRM comes with it
    killed,       // before the call
};

struct NamedKind {
    Kind kind;
    const char* name;
};
inline constexpr NamedKind kKinds[] = {
    {Kind::eintr, "EINTR"},   {Kind::enomem, "ENOMEM"},     {Kind::eperm, "EPERM"},
    {Kind::eio, "EIO"},       {Kind::short_count, "short"}, {Kind::deadline, "deadline"},
    {Kind::killed, "killed"},
};
const char* name_of(Kind kind);

// Processes are counted as they start, from 0, and the calls of each, from 0.
struct Fault {
    int process;
    int call;
    Kind kind;
};

struct Call {
    int process;
    int call;
    long number;  // of the system call
    bool may_be_short;
    std::string path = {};  // that openat(2) is given
};
// "openat"
std::string name_of_call(long number);
// Could that happen to that call?
bool can_happen(Kind kind, const Call& call);

// Of a long row of the same call (the kernel's types, which sysfs grants a page at a time) the
// first, the last and every 50th.
std::vector<Call> without_long_rows(const std::vector<Call>& calls);

struct Traced {
    int exit_code = -1;  // -1 where it didn't exit of itself
    int signal = 0;
    bool injected = false;    // it came to the call
    long number = -1;         // which call that was
    bool hung = false;        // and was killed after half a minute
    std::vector<Call> calls;  // of a run without a fault
};

// What the process, which has called await_tracer(), and all that it starts do from its next
// execve(2) on, until they have ended. They are reaped.
Traced trace(pid_t pid, int released_by, const std::optional<Fault>& fault);

// In the process: until the tracer has it.
void await_tracer(int released);

}  // namespace jail_ai::test
