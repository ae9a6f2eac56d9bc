// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "test_cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "files.h"
#include "must.h"

namespace jail_ai::test {
namespace {

std::string suite_root;

UniqueFd made_directory(const std::string& path) {
    must(::mkdir(path.c_str(), 0755), "mkdir " + path);
    return UniqueFd(must(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + path));
}

std::vector<std::string> children_of(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    std::vector<std::string> names;
    if (!directory) return names;
    while (const dirent* entry = ::readdir(directory.get()))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            names.push_back(path + '/' + entry->d_name);
    return names;
}

// cgroup.kill came with 5.14.
void kill_members(const std::string& path) {
    std::istringstream pids(read_file(path + "/cgroup.procs"));
    for (pid_t pid; pids >> pid;)
        if (pid > 0) ::kill(pid, SIGKILL);
    for (const auto& child : children_of(path)) kill_members(child);
}

void kill_and_await_empty(const std::string& path) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const std::string events = path + "/cgroup.events";
    const UniqueFd fd(must(::open(events.c_str(), O_RDONLY | O_CLOEXEC), "open " + events));
    for (;;) {
        char text[256];
        const ssize_t got = must(::pread(fd.get(), text, sizeof text, 0), "read " + events);
        if (std::string_view(text, static_cast<std::size_t>(got)).find("populated 0") !=
            std::string_view::npos)
            return;
        kill_members(path);  // again, for what was forked meanwhile
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) throw std::runtime_error(path + " does not get empty");
        pollfd polled{fd.get(), POLLPRI, 0};
        must(::poll(&polled, 1, static_cast<int>(left.count())), "wait for " + events);
    }
}

void remove_tree(const std::string& path) {
    for (const auto& child : children_of(path)) remove_tree(child);
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT) throw_errno("rmdir " + path);
}

}  // namespace

std::string cgroup2_mount() {
    std::istringstream lines(read_file("/proc/self/mountinfo"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string id, parent, device, root, point, word, type;
        fields >> id >> parent >> device >> root >> point;
        while (fields >> word && word != "-") continue;
        fields >> type;
        struct statfs there {};
        if (type == "cgroup2" && root == "/" && ::statfs(point.c_str(), &there) == 0 &&
            there.f_type == CGROUP2_SUPER_MAGIC)
            return point;
    }
    return {};
}

void remove_cgroup(const std::string& path) {
    if (::access(path.c_str(), F_OK) != 0) return;
    kill_and_await_empty(path);
    remove_tree(path);
}

void TestCgroup::set_suite_root(const std::string& path) {
    suite_root = path;
}

TestCgroup::TestCgroup() {
    static int last = 0;
    path_ = suite_root + "/c" + std::to_string(++last);
    fd_ = made_directory(path_);
}

TestCgroup::TestCgroup(const TestCgroup& parent, const std::string& name)
    : path_(parent.path_ + '/' + name), fd_(made_directory(path_)) {}

TestCgroup::TestCgroup(AtTheTop, const std::string& name)
    : path_(suite_root + '-' + name), fd_(made_directory(path_)) {}

TestCgroup::~TestCgroup() {
    try {
        remove();
    } catch (const std::exception& error) {
        ::dprintf(STDERR_FILENO, "# %s\n",
                  error.what());  // whoever runs the suite removes what is left
    }
}

void TestCgroup::add(pid_t pid) const {
    write_file("cgroup.procs", std::to_string(pid), fd());
}

void TestCgroup::remove() {
    fd_.reset();
    remove_cgroup(path_);
}

}  // namespace jail_ai::test
