// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "user_network.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "failure.h"
#include "link_events.h"

namespace escape {

namespace {

using jail_ai::UniqueFd;

constexpr const char* programs[] = {"/usr/bin/", "/usr/sbin/", "/bin/"};

// A name for the namespace, as engines give to one: pasta may not look into another process, and
// closes what it inherits. In a mount namespace of its own.
constexpr const char *directory = "/sys", *netns_name = "/sys/netns";
bool name_netns(const std::string& netns) {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", directory, "tmpfs", 0, nullptr) == 0 &&
           UniqueFd(::open(netns_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) &&
           ::mount(netns.c_str(), netns_name, nullptr, MS_BIND, nullptr) == 0;
}

}  // namespace

std::string UserNetwork::lacking(const std::vector<const char*>& command) {
    for (const char* place : programs)
        if (std::filesystem::exists(place + std::string(command.front()))) return "";
    return std::string(command.front()) + " is not installed";
}

void UserNetwork::start(const std::vector<const char*>& command, int outside, int inside,
                        const char* link) {
    stop();
    const std::string netns =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(inside);
    said_ = UniqueFd(::memfd_create("said", MFD_CLOEXEC));
    UniqueFd here(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!said_ || !here) give_up("start a user-mode network");
    pid_ = ::fork();
    if (pid_ == 0) {
        std::vector<char*> argv;
        for (const char* word : command)
            argv.push_back(const_cast<char*>(word == std::string("NETNS") ? netns_name : word));
        argv.push_back(nullptr);
        ::signal(SIGPIPE, SIG_DFL);  // pasta of Debian 12 ends where it is ignored already
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::setns(outside, CLONE_NEWNET) || !name_netns(netns)) ::_exit(126);
        ::dup2(said_.get(), 1);
        ::dup2(said_.get(), 2);
        ::setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    exited_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (pid_ < 0 || !exited_) give_up("start a user-mode network");
    if (::setns(inside, CLONE_NEWNET)) give_up("enter a network namespace");
    const bool there = jail_ai::test::wait_until_there(link, exited_.get());
    if (::setns(here.get(), CLONE_NEWNET)) give_up("leave a network namespace");
    if (there) return;
    std::string words(512, 0);
    const ssize_t size = ::pread(said_.get(), words.data(), words.size(), 0);
    words.resize(size < 0 ? 0 : static_cast<size_t>(size));
    errno = EPROTO;
    give_up("make a user-mode network: " + words);
}

void UserNetwork::stop() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    exited_.reset();
}

}  // namespace escape
