// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The suite's own cgroups and the hook; see cage.h.
#include "cage.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "failure.h"

namespace escape {

namespace {

namespace fs = std::filesystem;
using jail_ai::UniqueFd;

constexpr int hook_patience_ms = 10000;  // what engines give it

std::string cgroup2_mount() {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        if (line.find(" - cgroup2 ") == std::string::npos) continue;
        std::istringstream fields(line);
        std::string id, parent, device, root, mount_point;
        fields >> id >> parent >> device >> root >> mount_point;
        return mount_point;
    }
    errno = ENOENT;
    give_up("find the cgroup2 mount");
}

void write_file(const std::string& path, const std::string& text) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        give_up("write " + path);
}

// Kills whatever is in the tree and removes it, bottom up.
bool remove_tree(const std::string& root) {
    UniqueFd kill_all(::open((root + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
    if (kill_all && ::write(kill_all.get(), "1", 1) != 1) return false;
    std::vector<std::string> directories{root};
    for (size_t i = 0; i < directories.size(); i++)
        for (const auto& entry : fs::directory_iterator(directories[i]))
            if (entry.is_directory()) directories.push_back(entry.path());
    if (!kill_all)  // Linux before 5.14
        for (const std::string& directory : directories) {
            std::ifstream members(directory + "/cgroup.procs");
            for (pid_t member; members >> member;) ::kill(member, SIGKILL);
        }
    // cgroup.events changes, and wakes POLLPRI, when the last member is gone.
    UniqueFd events(::open((root + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
    for (int round = 0; round < 50; round++) {
        char text[128] = "";
        ssize_t size = ::pread(events.get(), text, sizeof(text) - 1, 0);
        if (size > 0 && std::string(text).find("populated 0") != std::string::npos) break;
        pollfd changed{events.get(), POLLPRI, 0};
        ::poll(&changed, 1, 100);
    }
    bool gone = true;
    for (auto directory = directories.rbegin(); directory != directories.rend(); ++directory)
        gone = ::rmdir(directory->c_str()) == 0 && gone;
    return gone;
}

std::string annotations_json(const Annotations& annotations) {
    std::string members = R"("jail-ai.block-host":"true")";
    for (const auto& [key, value] : annotations) members += ",\"" + key + "\":\"" + value + "\"";
    return "{" + members + "}";
}

// `network`: the member for the network namespace, empty if the container shares the host's.
std::string config_json(const std::vector<std::string>& capabilities,
                        const Annotations& annotations, const std::string& network) {
    std::string list;
    for (const std::string& capability : capabilities)
        list += (list.empty() ? "\"" : ",\"") + capability + "\"";
    std::string sets;
    for (const char* set : {"bounding", "effective", "permitted"})
        sets += std::string(sets.empty() ? "" : ",") + "\"" + set + "\":[" + list + "]";
    return R"({"ociVersion":"1.0.2","process":{"terminal":false,"user":{"uid":0,"gid":0},"args":["/bin/true"],"cwd":"/",)"
           R"("noNewPrivileges":true,"capabilities":{)" +
           sets + R"(}},"root":{"path":"rootfs"},"hostname":"escape","mounts":[],"annotations":)" +
           annotations_json(annotations) +
           R"(,"linux":{"namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"cgroup"})" +
           network + "]}}";
}

// The container's first process: in the cgroup and in namespaces as a runtime makes them, doing
// nothing until `stay` closes.
pid_t start_container(const Cgroup& cgroup, int netns, int ready, int stay, int inherited) {
    auto pid = static_cast<pid_t>(
        ::syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD,
                  nullptr, nullptr, nullptr, nullptr));
    if (pid < 0) give_up("start a container");
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    char byte = 0;
    if (::write(cgroup.procs.get(), "0", 1) != 1 || ::unshare(CLONE_NEWCGROUP) ||
        ::setns(netns, CLONE_NEWNET))
        ::_exit(1);
    // Nothing of this program's own descriptors is the container's.
    int kept[] = {::fcntl(ready, F_DUPFD, 100), ::fcntl(stay, F_DUPFD, 100),
                  inherited < 0 ? -1 : ::fcntl(inherited, F_DUPFD, 100)};
    for (int i = 0; i < 3; i++)
        if (kept[i] < 0 ? i < 2 : ::dup2(kept[i], 3 + i) < 0) ::_exit(1);
    if (::syscall(SYS_close_range, inherited < 0 ? 5 : 6, ~0U, 0) != 0 || ::write(3, &byte, 1) != 1)
        ::_exit(1);
    ::_exit(::read(4, &byte, 1) == 0 ? 0 : 1);
}

}  // namespace

Workplace::Workplace()
    : root_(cgroup2_mount() + "/escape." + std::to_string(::getpid())),
      scratch_("/tmp/escape.XXXXXX") {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC)) give_up("make the janitor's pipe");
    if (::mkdtemp(scratch_.data()) == nullptr) give_up("make a scratch directory");
    janitor_ = ::fork();
    if (janitor_ == 0) {
        ::setsid();
        for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
        ::close(ends[1]);
        char byte;
        while (::read(ends[0], &byte, 1) > 0 || errno == EINTR) {
        }
        bool gone = ::access(root_.c_str(), F_OK) != 0 || remove_tree(root_);
        std::error_code ignored;
        fs::remove_all(scratch_, ignored);
        ::_exit(gone ? 0 : 1);
    }
    ::close(ends[0]);
    lifeline_ = UniqueFd(ends[1]);
    if (::mkdir(root_.c_str(), 0755)) give_up("make " + root_);
}

Cgroup Workplace::make_cgroup(const std::string& name) const {
    Cgroup cgroup;
    cgroup.path = root_ + "/" + name;
    if (::mkdir(cgroup.path.c_str(), 0755)) give_up("make " + cgroup.path);
    cgroup.directory = UniqueFd(::open(cgroup.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    cgroup.procs = UniqueFd(::open((cgroup.path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!cgroup.directory || !cgroup.procs) give_up("open " + cgroup.path);
    return cgroup;
}

bool Workplace::clear() {
    int status = 0;
    lifeline_.reset();
    return ::waitpid(janitor_, &status, 0) == janitor_ && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

HookResult run_hook(const Workplace& workplace, const Lab& lab, const std::string& hook,
                    const Cgroup& cgroup, int netns, const Annotations& annotations,
                    const std::vector<std::string>& capabilities, int inherited) {
    const std::string& bundle = workplace.scratch();
    ::mkdir((bundle + "/rootfs").c_str(), 0755);
    std::string network;
    if (netns != lab.host() && (lab.world().joined || lab.world().is_relayed()))
        network = R"(,{"type":"network","path":"/proc/)" + std::to_string(::getpid()) + "/fd/" +
                  std::to_string(netns) + R"("})";
    else if (netns != lab.host())
        network = R"(,{"type":"network"})";
    write_file(bundle + "/config.json", config_json(capabilities, annotations, network));

    int ready[2], stay[2];
    if (::pipe2(ready, O_CLOEXEC) || ::pipe2(stay, O_CLOEXEC)) give_up("make pipes");
    UniqueFd ready_end(ready[0]), stay_end(stay[1]);
    pid_t container = start_container(cgroup, netns, ready[1], stay[0], inherited);
    ::close(ready[1]);
    ::close(stay[0]);
    char byte;
    if (::read(ready_end.get(), &byte, 1) != 1) give_up("start a container");

    std::string state = R"({"ociVersion":"1.0.2","id":"escape","pid":)" +
                        std::to_string(container) + R"(,"bundle":")" + bundle +
                        R"(","status":"created","annotations":)" + annotations_json(annotations) +
                        "}";
    int said[2];
    if (::pipe2(said, O_CLOEXEC)) give_up("make a pipe");
    UniqueFd said_end(said[0]);
    int input = ::memfd_create("state", MFD_CLOEXEC);
    if (input < 0 || ::write(input, state.data(), state.size()) < 0 ||
        ::lseek(input, 0, SEEK_SET) < 0)
        give_up("write the state");
    pid_t runner = ::fork();
    if (runner == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::setns(lab.host(), CLONE_NEWNET)) ::_exit(127);
        ::dup2(input, 0);
        ::dup2(said[1], 1);
        ::dup2(said[1], 2);
        ::execl(hook.c_str(), "jail-ai-hook", "createRuntime", nullptr);
        ::_exit(127);
    }
    ::close(input);
    ::close(said[1]);

    HookResult result{};
    char text[4096];
    for (;;) {
        pollfd ready_to_read{said_end.get(), POLLIN, 0};
        if (::poll(&ready_to_read, 1, hook_patience_ms) == 0) ::kill(runner, SIGKILL);
        ssize_t size = ::read(said_end.get(), text, sizeof(text));
        if (size <= 0) break;
        result.message.append(text, static_cast<size_t>(size));
    }
    while (!result.message.empty() && result.message.back() == '\n') result.message.pop_back();
    int status = 0;
    ::waitpid(runner, &status, 0);
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    stay_end.reset();
    ::waitpid(container, nullptr, 0);
    return result;
}

}  // namespace escape
