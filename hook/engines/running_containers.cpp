// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A user's directories are reached from the one that the user's own number names, without following
// a link and without leaving its file system, which could be one that the user serves. They are
// looked for by number, and nothing that users fill is listed to find them.
#include "engines/running_containers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <optional>
#include <set>

#include "base/absence.h"
#include "base/clock.h"
#include "base/quote.h"
#include "container/config.h"
#include "container/container_id.h"
#include "engines/container_users.h"
#include "engines/runtime_state.h"
#include "system/file.h"
#include "system/owned_file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxStates = 4096;  // in one directory
constexpr std::size_t kMaxUsersConfig = 1U << 20;

// runc writes the whole of its configuration, crun little more than a few paths.
struct Runtime {
    std::string_view name;
    const char* file;
    std::size_t most;  // bytes of a state
    Result<RunningContainer> (*parse)(std::string_view json);
};
constexpr Runtime kCrun = {"crun", "status", 64U << 10, parse_crun_status};
constexpr Runtime kRunc = {"runc", "state.json", 1U << 20, parse_runc_state};
constexpr std::array kRuntimes = {&kCrun, &kRunc};

// Where root's runtimes keep what they run: by themselves, and where an engine has them do so.
// CRI-O gives one of the first two to every runtime without a directory in its settings. Docker has
// a directory for each runtime of its settings. In those is one for each of the engine's
// namespaces, with states of whichever runtime it is.
constexpr std::array kRootsDirectories = {"/run/crun", "/run/runc"};
struct Engine {
    const char* directory;
    std::string_view runtimes;  // how names of theirs begin
};
constexpr Engine kUsersDocker = {"docker", "runtime-"};  // in the user's own directory
constexpr std::array kEngines =
    std::to_array<Engine>({{"/run/containerd", "runc"}, {"/run/docker", kUsersDocker.runtimes}});

// Where users have a directory called by their number, which podman makes runtimes use:
// systemd's, and what podman takes without that.
struct UsersPlace {
    const char* directory;
    std::string_view prefix;
};
constexpr std::array kUsersPlaces = std::to_array<UsersPlace>({{"/run/user", ""},
                                                               {"/tmp", "podman-run-"},
                                                               {"/tmp", "storage-run-"},
                                                               {"/tmp", "containers-user-"}});

// What something may take of the machine. Either is asked for before each piece of work, and none
// of these is large.
class Share {
public:
    struct Limits {
        std::uint64_t processor;  // ns
        std::uint64_t clock;      // ns, also while a disk has to be waited for
        std::size_t states;
    };

    // Of another one, if there is one.
    explicit Share(const Limits& limits, const Share* of = nullptr)
        : of_(of),
          processor_until_(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) + limits.processor),
          clock_until_(nanoseconds(CLOCK_MONOTONIC) + limits.clock),
          states_left_(limits.states) {}

    // Counts one state; false if it is beyond the share.
    bool take_state() {
        if (states_left_ == 0 || is_used_up()) return false;
        --states_left_;
        return true;
    }

    std::size_t states_left() const { return states_left_; }

private:
    bool is_used_up() const {
        return nanoseconds(CLOCK_PROCESS_CPUTIME_ID) >= processor_until_ ||
               nanoseconds(CLOCK_MONOTONIC) >= clock_until_ ||
               (of_ != nullptr && of_->is_used_up());
    }

    const Share* of_;
    std::uint64_t processor_until_;
    std::uint64_t clock_until_;
    std::size_t states_left_;
};

// A container with a usual profile takes some 2 ms. Root waits no longer for all users than people
// do for an answer.
constexpr Share::Limits kOneUsers = {500'000'000, 1'000'000'000, 1024};
constexpr Share::Limits kAllUsers = {1'000'000'000, 1'500'000'000, SIZE_MAX};

Result<UniqueFd> open_directory(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return lookup_error("open", errno, Sought::file);
    return fd;
}

// Error: EX_NOINPUT if it isn't this process any more.
Result<Process> process_of(const RunningContainer& state) {
    auto process = Process::open(state.pid);
    if (!process || !state.started) return process;
    const auto stat = read_kernel_file(process->proc_fd(), "stat");
    if (!stat) return stat.error();
    if (start_time(*stat) != state.started)
        return Error{EX_NOINPUT, fmt::format("process {} has ended", state.pid)};
    return process;
}

Status prove_owner(const Process& process, uid_t owner) {
    if (owner == 0) return ok();
    const auto its = TRY(process.user_namespace());
    if (its.is_initial || its.owner != owner)
        return Error{EX_DATAERR,
                     fmt::format("process {} is none of uid {}'s", process.pid(), owner)};
    return ok();
}

Error beyond_share() {
    return Error{EX_DATAERR, "more states, or larger ones, than the time for one user's is for"};
}

using EachDirectory = std::function<void(int fd, const std::string& name, const std::string& path)>;

// rootlesskit shows the machine's /run in a directory of its own, and Docker in it has that for
// the place of its bundles: /run/.roNUMBER/user/….
std::string seen_from_machine(const std::string& path) {
    constexpr std::string_view kCopied = "/run/.ro";
    if (!path.starts_with(kCopied)) return path;
    const std::size_t end = path.find_first_not_of("0123456789", kCopied.size());
    if (end == kCopied.size() || end == std::string::npos || path[end] != '/') return path;
    return "/run" + path.substr(end);
}

// Keeps what couldn't be read, by directory.
class Reader {
public:
    explicit Reader(const EachContainer& each) : each_(each) {}

    // `directory` holds one for each container, by ID, of whichever runtime it is.
    void read_root(int dirfd, const std::string& directory) {
        auto ids = list(dirfd, directory, kMaxStates + 1);
        Status worst = ok();
        if (ids.size() > kMaxStates) {
            worst = Error{EX_DATAERR, fmt::format("more than {} entries", kMaxStates)};
            ids.pop_back();
        }
        for (const std::string& id : ids)
            for (const Runtime* runtime : kRuntimes)
                note_first(worst, read_state(dirfd, id, *runtime, 0), id);
        note(directory, 0, worst);
    }

    // What is in one of the machine's directories, hidden names aside.
    std::vector<std::string> list(int dirfd, const std::string& directory, std::size_t most) {
        auto names = list_directory(dirfd, ".", Entries::all, most);
        if (!names) note(directory, 0, names.error());
        if (!names) return {};
        std::erase_if(*names, [](const std::string& name) { return name.starts_with('.'); });
        return std::move(*names);
    }

    // Whatever there is of the runtimes in one of the user's directories.
    void read_user(int dirfd, const std::string& directory, uid_t owner, Share& share) {
        for (const Runtime* runtime : kRuntimes) {
            const std::string name(runtime->name);
            const auto root = open_owned_directory(dirfd, name, Crossing::none, owner);
            const std::string path = fmt::format("{}/{}", directory, name);
            if (root)
                read_users_root(root->get(), path, owner, share);
            else if (!is_absent(root))
                note(path, owner, root.error());
        }
        const std::string path = fmt::format("{}/{}", directory, kUsersDocker.directory);
        const auto docker =
            open_owned_directory(dirfd, kUsersDocker.directory, Crossing::none, owner);
        if (docker)
            read_users_docker(docker->get(), path, owner, share);
        else if (!is_absent(docker))
            note(path, owner, docker.error());
    }

    void note(const std::string& directory, uid_t owner, const Status& failed) {
        if (!failed)
            overlooked_.push_back({directory, owner, failed.error().message,
                                   owner != 0 && failed.error().exit_code != EX_OSERR});
    }

    // One of the machine's own. Nothing if it is missing.
    UniqueFd open(const std::string& directory) {
        auto fd = open_directory(directory);
        if (!fd && !is_absent(fd)) note(directory, 0, fd.error());
        return fd ? std::move(*fd) : UniqueFd();
    }

    std::vector<UnreadableStateDir> overlooked() && { return std::move(overlooked_); }

private:
    // The user's in one of the user's own.
    void for_each_users_directory(int dirfd, const std::string& directory, uid_t owner,
                                  Share& share, const EachDirectory& each) {
        const auto names = list_directory(dirfd, ".", Entries::all, share.states_left() + 1);
        if (!names) return note(directory, owner, names.error());
        for (const std::string& name : *names) {
            if (!share.take_state()) return note(directory, owner, beyond_share());
            const std::string path = fmt::format("{}/{}", directory, name);
            if (const auto one = open_owned_directory(dirfd, name, Crossing::none, owner))
                each(one->get(), name, path);
            else if (one.error().exit_code == EX_OSERR)
                note(path, owner, one.error());
        }
    }

    // As root's, see kEngines.
    void read_users_docker(int dirfd, const std::string& directory, uid_t owner, Share& share) {
        const EachDirectory read_namespace = [&](int fd, const std::string& /*name*/,
                                                 const std::string& path) {
            read_users_root(fd, path, owner, share);
        };
        for_each_users_directory(dirfd, directory, owner, share,
                                 [&](int fd, const std::string& name, const std::string& path) {
                                     if (name.starts_with(kUsersDocker.runtimes))
                                         for_each_users_directory(fd, path, owner, share,
                                                                  read_namespace);
                                 });
    }

    void read_users_root(int dirfd, const std::string& directory, uid_t owner, Share& share) {
        const auto ids = list_directory(dirfd, ".", Entries::all, share.states_left() + 1);
        if (!ids) return note(directory, owner, ids.error());
        Status worst = ok();
        for (const std::string& id : *ids) {
            if (id.starts_with('.')) continue;
            if (!share.take_state()) {
                worst = beyond_share();
                break;
            }
            for (const Runtime* runtime : kRuntimes) {
                auto read = read_state(dirfd, id, *runtime, owner);
                // A failure behind the files is one of a process that they name.
                if (!read && !is_absent(read))
                    read = Error{EX_DATAERR, std::move(read).error().message};
                note_first(worst, std::move(read), id);
            }
        }
        note(directory, owner, worst);
    }

    static void note_first(Status& worst, Status read, const std::string& id) {
        if (!read && !is_absent(read) && worst)
            worst = std::move(read).error().context(quote(id, 80));
    }

    Status read_state(int dirfd, const std::string& id, const Runtime& runtime, uid_t owner) {
        if (!is_container_id(id)) return Error{EX_DATAERR, "not a container's ID"};
        const auto text = TRY(read_owned_file(dirfd, fmt::format("{}/{}", id, runtime.file),
                                              Crossing::none, owner, runtime.most));
        auto container = TRY(runtime.parse(text));
        const auto process = TRY(process_of(container));
        TRY(prove_owner(process, owner));
        if (owner != 0 && !users_processes_.insert(process.pid()).second)
            return Error{EX_DATAERR,
                         fmt::format("process {} is another container's", process.pid())};
        // Runtimes hold a container that is created by a fifo, and remove that when it starts.
        const auto fifo = TRY(stat_if_there(dirfd, fmt::format("{}/exec.fifo", id)));
        const bool waits = fifo && S_ISFIFO(fifo->st_mode);
        container.id = id;
        container.runtime = runtime.name;
        container.owner = owner;
        container.has_started = !waits;
        each_(container, process);
        return ok();
    }

    const EachContainer& each_;
    std::vector<UnreadableStateDir> overlooked_;
    std::set<pid_t> users_processes_;
};

// Those of root's in one of the machine's own.
void for_each_directory(Reader& reader, int dirfd, const std::string& directory,
                        const EachDirectory& each) {
    for (const std::string& name : reader.list(dirfd, directory, kMaxStates)) {
        const std::string path = fmt::format("{}/{}", directory, name);
        if (const auto one = open_owned_directory(dirfd, name, Crossing::none, 0))
            each(one->get(), name, path);
        else if (one.error().exit_code == EX_OSERR)
            reader.note(path, 0, one.error());
    }
}

void read_roots(Reader& reader) {
    for (const char* directory : kRootsDirectories)
        if (const UniqueFd fd = reader.open(directory)) reader.read_root(fd.get(), directory);
    const EachDirectory read_namespace = [&](int fd, const std::string& /*name*/,
                                             const std::string& path) {
        reader.read_root(fd, path);
    };
    for (const Engine& engine : kEngines)
        if (const UniqueFd fd = reader.open(engine.directory))
            for_each_directory(
                reader, fd.get(), engine.directory,
                [&](int runtime_fd, const std::string& name, const std::string& path) {
                    if (name.starts_with(engine.runtimes))
                        for_each_directory(reader, runtime_fd, path, read_namespace);
                });
}

void read_users(Reader& reader) {
    const auto users = container_users();
    if (!users) return reader.note("/proc", 0, users.error());
    std::array<UniqueFd, kUsersPlaces.size()> places;
    for (std::size_t i = 0; i < places.size(); ++i)
        places[i] = reader.open(kUsersPlaces[i].directory);
    const Share all_users(kAllUsers);
    for (const uid_t uid : *users) {
        Share share(kOneUsers, &all_users);
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (!places[i]) continue;
            const std::string name = fmt::format("{}{}", kUsersPlaces[i].prefix, uid);
            const std::string path = fmt::format("{}/{}", kUsersPlaces[i].directory, name);
            const auto own = open_owned_directory(places[i].get(), name, Crossing::allowed, uid);
            if (!own) {
                // In /tmp any user may make a directory of that name: another's is none.
                if (own.error().exit_code == EX_OSERR) reader.note(path, uid, own.error());
                continue;
            }
            // systemd mounts a tmpfs for each user. What users can mount there themselves (FUSE)
            // has them answer each question that is asked of it.
            const auto local = check_file_system(own->get(), places[i].get(), "tmpfs");
            if (local)
                reader.read_user(own->get(), path, uid, share);
            else
                reader.note(path, uid, local);
        }
    }
}

}  // namespace

std::vector<UnreadableStateDir> for_each_container(const EachContainer& each) {
    Reader reader(each);
    read_roots(reader);
    read_users(reader);
    return std::move(reader).overlooked();
}

Result<std::string> read_config(const RunningContainer& container) {
    if (!container.bundle.starts_with('/')) return Error{EX_NOINPUT, "its runtime names no bundle"};
    const std::string path = container.bundle + "/config.json";
    if (container.owner == 0) return read_regular_file(AT_FDCWD, path, kMaxConfigBytes);
    return read_owned_file_through_links(seen_from_machine(path), container.owner, kMaxUsersConfig);
}

}  // namespace jail_ai
