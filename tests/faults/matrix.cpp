// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "matrix.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "expect.h"
#include "files.h"
#include "jail/attachment.h"
#include "kernel_bpf.h"
#include "link_events.h"
#include "must.h"
#include "picture.h"
#include "pipe.h"

namespace jail_ai::test {
namespace {

constexpr std::size_t kShownFindings = 10;

UniqueFd make_file() {
    return UniqueFd(must(::memfd_create("output", MFD_CLOEXEC), "make a file in memory"));
}

std::string text_of(const UniqueFd& file) {
    std::string text(static_cast<std::size_t>(must(::lseek(file.get(), 0, SEEK_END), "seek")),
                     '\0');
    must(::pread(file.get(), text.data(), text.size(), 0), "read an output");
    return text;
}

[[noreturn]] void become_hook(const Invocation& invocation, int binary, int in, int out, int err,
                              int released) {
    try {
        must(::setns(Laboratory::get().network.host.fd(), CLONE_NEWNET),
             "enter the host's network");
        must(::chdir(invocation.directory.c_str()), "enter the bundle");
        must(::dup2(in, 0), "hand over standard input");
        must(::dup2(out, 1), "hand over standard output");
        must(::dup2(err, 2), "hand over standard error");
        std::vector<const char*> arguments{"jail-ai-hook"};
        arguments.insert(arguments.end(), invocation.words.begin(), invocation.words.end());
        arguments.push_back(nullptr);
        const char* environment[] = {nullptr};
        await_tracer(released);
        ::fexecve(binary, const_cast<char**>(arguments.data()), const_cast<char**>(environment));
    } catch (const std::exception&) {
        ::_exit(124);
    }
    ::_exit(125);
}

// Where the machine is so slow that undoing takes longer than a second, the deadline kills, too.
bool may_leave_programs(const std::optional<Fault>& fault, const std::string& said) {
    if (!fault) return false;
    if (fault->kind == Kind::deadline)
        return said.find("still not done 1 s after the deadline") != std::string::npos;
    return fault->kind == Kind::killed && fault->process == 0;
}

// Lines that one of them lacks, "- " and "+ ", none longer than anybody reads.
std::string difference(const std::string& before, const std::string& after) {
    constexpr std::size_t kShown = 300;
    const auto lines_of = [](const std::string& text) {
        std::istringstream lines(text);
        std::multiset<std::string> all;
        for (std::string line; std::getline(lines, line);) all.insert(line);
        return all;
    };
    const auto old = lines_of(before), now = lines_of(after);
    std::string text;
    for (const std::string& line : old)
        if (!now.contains(line)) text += "- " + line.substr(0, kShown) + "; ";
    for (const std::string& line : now)
        if (!old.contains(line)) text += "+ " + line.substr(0, kShown) + "; ";
    return text;
}

int number_after(const char* text, char before, int otherwise) {
    const char* const at = text == nullptr ? nullptr : std::strchr(text, before);
    return at == nullptr ? otherwise : std::atoi(at + 1);
}

// "PROCESS:CALL:KIND", to look at one
bool is_the_one(const Fault& fault, const std::string& wanted) {
    return wanted == std::to_string(fault.process) + ":" + std::to_string(fault.call) + ":" +
                         name_of(fault.kind);
}

// The faults of this process's part.
class Choice {
public:
    bool takes(const Fault& fault) {
        if (only_ != nullptr) return is_the_one(fault, only_);
        const int number = next_++;
        return number % step_ == 0 && number / step_ % parts_ == part_;
    }

private:
    int parts_ = number_after(std::getenv("JAIL_AI_FAULTS_PART"), '/', 1);
    int part_ = parts_ == 1 ? 0 : std::atoi(std::getenv("JAIL_AI_FAULTS_PART"));
    int step_ = std::getenv("JAIL_AI_FAULTS_STEP") == nullptr
                    ? 1
                    : std::atoi(std::getenv("JAIL_AI_FAULTS_STEP"));
    const char* only_ = std::getenv("JAIL_AI_FAULTS_ONLY");
    int next_ = 0;
};

struct Tally {
    std::map<Verdict, int> verdicts;
    int runs = 0;
    int missed = 0;  // didn't come to the call
    std::vector<std::string> findings;
};

std::string last_line(const std::string& text) {
    const std::string lines = text.substr(0, text.find_last_not_of('\n') + 1);
    return lines.substr(lines.rfind('\n') + 1);
}

void try_one(const Subject& subject, const Fault& fault, Tally& tally) {
    const auto [judgement, ran] = subject.try_once(fault);
    ++tally.runs;
    ++tally.verdicts[judgement.verdict];
    tally.missed += ran.traced.injected ? 0 : 1;
    if (judgement.verdict != Verdict::finding && !ran.traced.hung) return;
    tally.findings.push_back(
        std::string(name_of(fault.kind)) + " at " +
        (ran.traced.injected ? name_of_call(ran.traced.number) : "nothing") + " (process " +
        std::to_string(fault.process) + ", call " + std::to_string(fault.call) +
        "): " + (ran.traced.hung ? "it does not end" : judgement.why) + "; " + last_line(ran.err));
}

void show(const std::string& name, const std::vector<Call>& calls, Tally& tally, double seconds) {
    int processes = 0;
    for (const Call& call : calls) processes = std::max(processes, call.process + 1);
    std::printf(
        "# faults: %s: %zu calls of %d processes, %d runs: %d same jail, %d rejected, %d left, %d "
        "findings, %d didn't come to the call; %.0f s\n",
        name.c_str(), calls.size(), processes, tally.runs, tally.verdicts[Verdict::same_jail],
        tally.verdicts[Verdict::rejected], tally.verdicts[Verdict::left],
        tally.verdicts[Verdict::finding], tally.missed, seconds);
    std::fflush(stdout);
}

template <typename Each>
void for_each_fault(const std::vector<Call>& calls, Each&& each) {
    for (const Call& call : without_long_rows(calls))
        for (const auto& [kind, name] : kKinds)
            if (can_happen(kind, call)) each(Fault{call.process, call.call, kind});
}

}  // namespace

Ran run(const Invocation& invocation, const std::optional<Fault>& fault, int binary) {
    Laboratory::get().dev.drain_log();
    Pipe in, release;
    const UniqueFd out = make_file(), err = make_file();
    const std::string& input = invocation.input;
    if (must(::write(in.writer.get(), input.data(), input.size()), "write the input") !=
        static_cast<ssize_t>(input.size()))
        throw std::logic_error("the input does not fit into a pipe");
    in.writer.reset();
    const pid_t pid = must(::fork(), "start the hook");
    if (pid == 0)
        become_hook(invocation, binary,
                    invocation.connection >= 0 ? invocation.connection : in.reader.get(), out.get(),
                    err.get(), release.reader.get());
    Ran ran{trace(pid, release.writer.get(), fault), {}, {}};
    ran.out = text_of(out);
    ran.err = text_of(err);
    return ran;
}

Ran run(const Invocation& invocation, const std::optional<Fault>& fault) {
    return run(invocation, fault, Laboratory::get().hook.fd());
}

void clear(const TestCgroup& cgroup) {
    const auto detached = detach_jail(cgroup.fd());
    if (!detached) throw std::runtime_error(detached.error().message);
    std::string left;
    for (const std::string& name : names_of(attachments(cgroup.fd()))) left += " " + name;
    if (!left.empty()) throw std::runtime_error("programs that detach leaves:" + left);
}

// libbpf takes any failure of its trial of bpf_probe_read_kernel() for a kernel before 5.5, and has
// the guard's program that reads kernel memory call bpf_probe_read(), which on x86-64 reads the
// same. Its instructions have another tag then.
std::string whichever_read_helper(const std::string& picture) {
    constexpr std::string_view kReader = "program jail_receive ", kTag = " tag ";
    const std::size_t line = picture.find(kReader);
    const std::size_t tag = line == std::string::npos ? line : picture.find(kTag, line);
    if (tag == std::string::npos || picture.find('\n', line) < tag) return picture;
    const std::size_t end = picture.find_first_of(" \n", tag + kTag.size());
    return picture.substr(0, tag) + (end == std::string::npos ? "" : picture.substr(end));
}

Judgement judge(bool says_yes, const std::string& picture, const std::string& jail,
                const std::optional<Fault>& fault, const std::string& said) {
    if (says_yes && jail.empty()) return {Verdict::finding, "yes to what must be rejected"};
    if (says_yes && picture == jail) return {Verdict::same_jail, {}};
    if (says_yes && picture.empty()) return {Verdict::finding, "yes without a jail"};
    if (says_yes && fault && whichever_read_helper(picture) == whichever_read_helper(jail))
        return {Verdict::same_jail, {}};
    if (says_yes) return {Verdict::finding, "yes with another jail: " + difference(jail, picture)};
    if (picture.empty()) return {Verdict::rejected, {}};
    if (may_leave_programs(fault, said)) return {Verdict::left, {}};
    return {Verdict::finding, "no, and programs stay attached"};
}

void settle_network() {
    const Visit visit(Laboratory::get().network.container);
    wait_until_link_local("ctr0");
}

void try_all(const Subject& subject) {
    const auto begin = std::chrono::steady_clock::now();
    const auto tried = subject.try_once({});
    const Judgement& first = tried.first;
    const Ran& ran = tried.second;
    INFO(ran.err);
    REQUIRE(first.verdict == subject.without_fault);
    REQUIRE(ran.traced.calls.size() > 20);
    REQUIRE(subject.try_once({}).first.verdict == subject.without_fault);
    Tally tally;
    Choice choice;
    const std::vector<Call> calls =
        subject.part ? subject.part(ran.traced.calls) : ran.traced.calls;
    REQUIRE(!calls.empty());
    for_each_fault(calls, [&](const Fault& fault) {
        if (choice.takes(fault)) try_one(subject, fault, tally);
    });
    const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
    show(subject.name, calls, tally, lasted.count());
    for (std::size_t i = 0; i < std::min(tally.findings.size(), kShownFindings); ++i)
        FAIL_CHECK(tally.findings[i]);
    CHECK(tally.findings.size() == 0);
    CHECK(tally.missed <= tally.runs / 20);
}

Invocation create_runtime(const Container& container) {
    return {{"createRuntime"}, container.state.bundle, container.state.json()};
}

std::pair<Judgement, Ran> try_container(const Container& container, const std::string& jail,
                                        const std::optional<Fault>& fault, int binary,
                                        const Look& look) {
    Ran ran = run(create_runtime(container), fault, binary);
    const std::string picture = picture_of_jail(container.cgroup.fd());
    const bool says_yes = ran.traced.exit_code == 0;
    auto judgement = judge(says_yes, picture, jail, fault, ran.err);
    if (judgement.verdict == Verdict::left && !jail.empty()) {
        const Ran again = run(create_runtime(container), {}, binary);
        if (again.traced.exit_code != 0 || picture_of_jail(container.cgroup.fd()) != jail)
            judgement = {Verdict::finding, "a new start doesn't replace what was left"};
    }
    // What was left, or made anew, acts.
    const bool may_look = look && judgement.verdict != Verdict::left;
    if (const std::string seen = may_look ? look(says_yes) : ""; !seen.empty())
        judgement = {Verdict::finding, seen};
    if (!picture.empty()) clear(container.cgroup);
    return {std::move(judgement), std::move(ran)};
}

std::string jail_of(const Container& container) {
    settle_network();
    expect_jailed(container.run_hook(), container.cgroup,
                  container.state.id == "shared" ? guard_in_shared_network() : usual_guard());
    std::string picture = picture_of_jail(container.cgroup.fd());
    clear(container.cgroup);
    return picture;
}

Subject subject_of(const std::string& name, const Container& container, std::string jail,
                   Look look) {
    const Verdict without = jail.empty() ? Verdict::rejected : Verdict::same_jail;
    return {name, without,
            [&container, jail = std::move(jail),
             look = std::move(look)](const std::optional<Fault>& fault) {
                return try_container(container, jail, fault, Laboratory::get().hook.fd(), look);
            }};
}

void write_config(const Container& container, const std::string& more, const std::string& process,
                  const std::string& mounts) {
    create_file(container.state.bundle + "/config.json",
                R"({"ociVersion":"1.0.2","process":{"args":["/x"],"cwd":"/")" + process +
                    R"(},"root":{"path":"rootfs"},"mounts":[)" + mounts + R"(],"linux":{)" + more +
                    "}}");
}

}  // namespace jail_ai::test
