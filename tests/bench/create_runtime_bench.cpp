// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How long createRuntime takes as a whole process, from fork to exit, beside the yardstick loader,
// one after the other in the same run: with the bpf() calls of the hook, and with programs that do
// nothing. Every round makes a fresh cgroup with a fresh process in it for each of them.
//
// usage: bench-create-runtime HOOK LOADER RECIPE MINIMAL_RECIPE CGROUP2_MOUNT [ROUNDS]
// Needs root.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "median.h"

namespace {

using jail_ai::UniqueFd;
using jail_ai::bench::median;
using Clock = std::chrono::steady_clock;

constexpr int kDefaultRounds = 101;

// What createRuntime takes at most, in times of what the loader takes.
struct Limit {
    const char* container;
    bool has_network;
    double same_calls, minimal;
};
// The hook attaches more where the container shares the network, for which the same calls are not
// in the recipe.
constexpr double kMostTimesTheSame = 2.6;
constexpr double kMostTimesTheMinimal = 15;
constexpr double kMostTimesTheMinimalInHosts = 18;
constexpr Limit kLimits[] = {
    {"own network", true, kMostTimesTheSame, kMostTimesTheMinimal},
    {"host's network", false, 0, kMostTimesTheMinimalInHosts},
};

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what);
}

// An address, so that the network is one that an engine has made already.
bool make_network() {
    if (::unshare(CLONE_NEWNET) != 0) return false;
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{{"lo"}, {}};
    sockaddr_in address{AF_INET, 0, {}, {}};
    ::inet_aton("10.88.0.5", &address.sin_addr);
    std::memcpy(&request.ifr_addr, &address, sizeof address);
    return ::ioctl(socket.get(), SIOCSIFADDR, &request) == 0;
}

// A cgroup with one process in it, in a network namespace of its own or in ours.
class Target {
public:
    Target(std::string directory, bool has_network) : directory_(std::move(directory)) {
        if (::mkdir(directory_.c_str(), 0755) != 0) fail("mkdir " + directory_);
        pid_ = ::fork();
        if (pid_ == 0) {
            if (has_network && !make_network()) ::_exit(1);
            ::kill(::getpid(), SIGSTOP);
            while (true) ::pause();
        }
        int status = 0;
        if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status))
            fail("make a container's network");
        std::ofstream procs(directory_ + "/cgroup.procs");
        if (!(procs << pid_).flush()) fail("join " + directory_);
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    ~Target() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        ::rmdir(directory_.c_str());
    }
    pid_t pid() const { return pid_; }
    const std::string& directory() const { return directory_; }

private:
    std::string directory_;
    pid_t pid_;
};

// What a process and its children took, in milliseconds: of a processor, which other load on the
// machine hardly changes, and from fork to exit.
struct Taken {
    double processor, all;
};

// The medians of many.
class Times {
public:
    void add(Taken taken) {
        processor_.push_back(taken.processor);
        all_.push_back(taken.all);
    }
    double processor() const { return median(processor_); }
    double all() const { return median(all_); }

private:
    std::vector<double> processor_, all_;
};

double milliseconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

Taken run(const std::vector<std::string>& command, const std::string& input) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    if (::write(writer.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()))
        fail("write");
    writer.reset();
    const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const auto begin = Clock::now();
    const pid_t pid = ::vfork();
    if (pid == 0) {
        ::dup2(reader.get(), STDIN_FILENO);
        ::dup2(nowhere.get(), STDOUT_FILENO);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    int status = 0;
    rusage used{};
    ::wait4(pid, &status, 0, &used);
    const std::chrono::duration<double, std::milli> taken = Clock::now() - begin;
    if (status != 0) fail(command[0] + " ended with status " + std::to_string(status));
    return {milliseconds(used.ru_utime) + milliseconds(used.ru_stime), taken.count()};
}

// Prints the ratio; true if it is within the limit.
bool judge(const Limit& limit, const char* yardstick, double most, const Times& ours,
           const Times& theirs) {
    const double ratio = ours.processor() / theirs.processor();
    std::printf(
        "# bench: createRuntime, %s: %.2f ms of a processor, %.2f ms in all; %s %.2f ms, %.2f ms; "
        "%.2f times (medians)\n",
        limit.container, ours.processor(), ours.all(), yardstick, theirs.processor(), theirs.all(),
        ratio);
    if (most == 0) return true;
    const bool is_within = ratio <= most;
    std::printf("%sok - createRuntime, %s: at most %.2f times %s", is_within ? "" : "not ",
                limit.container, most, yardstick);
    std::printf(is_within ? "\n" : ": %.2f\n", ratio);
    return is_within;
}

struct Commands {
    std::string hook, loader, recipe, minimal_recipe, mount;
};

bool bench(const Commands& commands, const Limit& limit, int rounds) {
    const std::string bundle = std::filesystem::path(commands.recipe).parent_path();
    std::ofstream(bundle + "/config.json") << R"({"ociVersion":"1.0.2","mounts":[]})";
    Times ours;
    Times start;
    Times same;
    Times minimal;
    for (int round = 0; round < rounds; ++round) {
        const std::string directory =
            commands.mount + "/jail-bench." + std::to_string(::getpid()) + ".";
        const Target first(directory + "a", limit.has_network);
        const Target second(directory + "b", limit.has_network);
        const Target third(directory + "c", limit.has_network);
        const std::string state =
            R"({"ociVersion":"1.0","id":"bench","pid":)" + std::to_string(first.pid()) +
            R"(,"bundle":")" + bundle +
            R"(","status":"created","annotations":{"jail-ai.block-host":"true"}})";
        ours.add(run({commands.hook, "createRuntime"}, state));
        start.add(run({commands.hook, "--version"}, ""));
        same.add(run({commands.loader, commands.recipe, second.directory()}, ""));
        minimal.add(run({commands.loader, commands.minimal_recipe, third.directory()}, ""));
    }
    const double calls = same.processor(), process = start.processor();
    std::printf(
        "# bench: floor of createRuntime, %s: %.2f ms of a processor to start and end the process, "
        "%.2f ms for the same bpf() calls; %.2f ms are left (medians)\n",
        limit.container, process, calls, ours.processor() - process - calls);
    const bool has_same =
        judge(limit, "a loader of the same programs", limit.same_calls, ours, same);
    return judge(limit, "a loader of minimal programs", limit.minimal, ours, minimal) && has_same;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        std::fputs(
            "usage: bench-create-runtime HOOK LOADER RECIPE MINIMAL_RECIPE CGROUP2_MOUNT "
            "[ROUNDS]\n",
            stderr);
        return 64;
    }
    try {
        bool is_within = true;
        for (const Limit& limit : kLimits)
            is_within = bench({argv[1], argv[2], argv[3], argv[4], argv[5]}, limit,
                              argc > 6 ? std::atoi(argv[6]) : kDefaultRounds) &&
                        is_within;
        return is_within ? 0 : 1;
    } catch (const std::exception& failure) {
        std::printf("not ok - createRuntime benchmark: %s\n", failure.what());
        return 1;
    }
}
