// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Each system call of the hook, of its prober and of what that starts, fails once, is cut short,
// lasts until the deadline, or is where the process is killed. What a container may be by then:
//
//   same jail   the hook said yes, and the jail is that of a run without a fault, byte by byte
//   rejected    the hook didn't, and nothing is attached
//   left        the hook was killed while it attached, by the fault or, on a machine on which
//               undoing takes longer than a second, by its deadline: programs stay, in the cgroup
//               of a container that no engine starts and whose cgroup it removes
//
// Everything else is a finding: yes without a complete jail, or yes to a container that must be
// rejected.
//
// JAIL_AI_FAULTS_STEP=N takes every N-th fault, and JAIL_AI_FAULTS_PART=I/N of those every N-th
// from the I-th on: the same ones each time. JAIL_AI_FAULTS_ONLY=PROCESS:CALL:KIND takes that one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "container.h"
#include "tracer.h"

namespace jail_ai::test {

struct Ran {
    Traced traced;
    std::string out;
    std::string err;
};

struct Invocation {
    std::vector<const char*> words;
    std::string directory = "/";
    std::string input;    // on a pipe
    int connection = -1;  // in place of that
};

// The hook, or another binary in its place; in the laboratory's host.
Ran run(const Invocation& invocation, const std::optional<Fault>& fault);
Ran run(const Invocation& invocation, const std::optional<Fault>& fault, int binary);
Invocation create_runtime(const Container& container);

enum class Verdict { same_jail, rejected, left, finding };

struct Judgement {
    Verdict verdict;
    std::string why;
};

// `jail`: what it must be after a yes; empty where there must be none. `said`: on standard error.
Judgement judge(bool says_yes, const std::string& picture, const std::string& jail,
                const std::optional<Fault>& fault, const std::string& said = "");

// What stayed goes, for the next run.
void clear(const TestCgroup& cgroup);

// One way to call the hook, again and again from the same state.
struct Subject {
    std::string name;
    Verdict without_fault;
    std::function<std::pair<Judgement, Ran>(const std::optional<Fault>& fault)> try_once;
    // Which of a run's calls fail; all where it's empty.
    std::function<std::vector<Call>(const std::vector<Call>& calls)> part = {};
};

// Every fault that is chosen; prints how many there were, and what came of them.
void try_all(const Subject& subject);

// Looks at the container itself after a run: says what is wrong, or nothing.
using Look = std::function<std::string(bool says_yes)>;

// createRuntime for the container: what came of it is cleared away.
std::pair<Judgement, Ran> try_container(const Container& container, const std::string& jail,
                                        const std::optional<Fault>& fault, int binary,
                                        const Look& look = {});
// The jail must be that, or there must be none.
Subject subject_of(const std::string& name, const Container& container, std::string jail,
                   Look look = {});

// What a jail is made from does not change meanwhile.
void settle_network();
// The jail of a run of the kind that the other suites judge.
std::string jail_of(const Container& container);
// `more` of "linux", `process` and `mounts`: elements.
void write_config(const Container& container, const std::string& more,
                  const std::string& process = "", const std::string& mounts = "");

}  // namespace jail_ai::test
