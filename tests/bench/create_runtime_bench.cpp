// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How long createRuntime takes as a whole process, from fork to exit, beside the yardstick loader,
// one after the other in the same run. Every round makes a fresh cgroup with a fresh process in it
// for each of the two.
//
// usage: bench-create-runtime HOOK LOADER RECIPE CGROUP2_MOUNT [ROUNDS]     Needs root.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
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
constexpr double kMostTimesTheLoader = 3.0;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what);
}

// A cgroup with one process in it, in a network namespace of its own.
class Target {
public:
    explicit Target(std::string directory) : directory_(std::move(directory)) {
        if (::mkdir(directory_.c_str(), 0755) != 0) fail("mkdir " + directory_);
        pid_ = ::fork();
        if (pid_ == 0) {
            if (::unshare(CLONE_NEWNET) != 0) ::_exit(1);
            while (true) ::pause();
        }
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

double run(const std::vector<std::string>& command, const std::string& input) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    if (::write(writer.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()))
        fail("write");
    writer.reset();
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const auto begin = Clock::now();
    const pid_t pid = ::vfork();
    if (pid == 0) {
        ::dup2(reader.get(), STDIN_FILENO);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    const std::chrono::duration<double, std::milli> taken = Clock::now() - begin;
    if (status != 0) fail(command[0] + " ended with status " + std::to_string(status));
    return taken.count();
}

int bench(const std::string& hook, const std::string& loader, const std::string& recipe,
          const std::string& mount, int rounds) {
    const std::string bundle = std::filesystem::path(recipe).parent_path();
    std::ofstream(bundle + "/config.json") << R"({"ociVersion":"1.0.2","mounts":[]})";
    std::vector<double> ours;
    std::vector<double> yardstick;
    for (int round = 0; round < rounds; ++round) {
        const std::string directory = mount + "/jail-bench." + std::to_string(::getpid()) + ".";
        const Target first(directory + "a");
        const Target second(directory + "b");
        const std::string state =
            R"({"ociVersion":"1.0","id":"bench","pid":)" + std::to_string(first.pid()) +
            R"(,"bundle":")" + bundle +
            R"(","status":"created","annotations":{"jail-ai.block-host":"true"}})";
        ours.push_back(run({hook, "createRuntime"}, state));
        yardstick.push_back(run({loader, recipe, second.directory()}, ""));
    }
    const double ratio = median(ours) / median(yardstick);
    const std::string figures = "createRuntime " + std::to_string(median(ours)) + " ms, loader " +
                                std::to_string(median(yardstick)) + " ms, " +
                                std::to_string(ratio) + " times (median of " +
                                std::to_string(rounds) + ")";
    std::printf("# %s\n", figures.c_str());
    if (ratio <= kMostTimesTheLoader) {
        std::printf("ok - createRuntime takes at most %.2f times what the loader takes\n",
                    kMostTimesTheLoader);
        return 0;
    }
    std::printf("not ok - createRuntime takes at most %.2f times what the loader takes: %s\n",
                kMostTimesTheLoader, figures.c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fputs("usage: bench-create-runtime HOOK LOADER RECIPE CGROUP2_MOUNT [ROUNDS]\n",
                   stderr);
        return 64;
    }
    try {
        return bench(argv[1], argv[2], argv[3], argv[4],
                     argc > 5 ? std::atoi(argv[5]) : kDefaultRounds);
    } catch (const std::exception& failure) {
        std::printf("not ok - createRuntime benchmark: %s\n", failure.what());
        return 1;
    }
}
