// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A user's directories are reached from the one that the user's own number names, without following
// a link and without leaving its file system, which could be one that the user serves.
#include "engines/running_containers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>

#include "base/absence.h"
#include "base/quote.h"
#include "container/config.h"
#include "container/container_id.h"
#include "engines/runtime_state.h"
#include "system/file.h"
#include "system/owned_file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxState = 4U << 20;
constexpr std::size_t kMaxStates = 4096;  // in one directory
constexpr std::uint64_t kStrict = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;

struct Runtime {
    std::string_view name;
    const char* file;
    Result<RunningContainer> (*parse)(std::string_view json);
};
constexpr Runtime kCrun = {"crun", "status", parse_crun_status};
constexpr Runtime kRunc = {"runc", "state.json", parse_runc_state};

// Where root's runtimes keep what they run. Below the last two is a directory for each of the
// engine's namespaces.
constexpr std::array kRootsRuntimes = std::to_array<std::pair<const char*, const Runtime*>>(
    {{"/run/crun", &kCrun}, {"/run/runc", &kRunc}});
constexpr std::array kNamespacedRoots = {"/run/containerd/runc", "/run/docker/runtime-runc"};

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

class Reader {
public:
    explicit Reader(const EachContainer& each) : each_(each) {}

    // `directory` holds one for each container, by ID.
    void read_root(int dirfd, const std::string& directory, const Runtime& runtime, uid_t owner) {
        Status worst = ok();
        auto ids = list(dirfd, directory, owner, kMaxStates + 1);
        if (ids.size() > kMaxStates) {
            worst = Error{EX_DATAERR, fmt::format("more than {} entries", kMaxStates)};
            ids.pop_back();
        }
        for (const std::string& id : ids) {
            auto read = read_state(dirfd, id, runtime, owner);
            if (!read && !is_absent(read) && worst)
                worst = std::move(read).error().context(quote(id, 80));
        }
        if (!worst) overlooked_.push_back({directory, owner, std::move(worst).error().message});
    }

    // What is in it, hidden names aside.
    std::vector<std::string> list(int dirfd, const std::string& directory, uid_t owner,
                                  std::size_t most) {
        auto names = list_directory(dirfd, ".", Entries::all, most);
        if (!names) overlooked_.push_back({directory, owner, names.error().message});
        if (!names) return {};
        std::erase_if(*names, [](const std::string& name) { return name.starts_with('.'); });
        return std::move(*names);
    }

    // Whatever there is of the runtimes in one of the user's directories.
    void read_user(int dirfd, const std::string& directory, uid_t owner) {
        for (const Runtime* runtime : {&kCrun, &kRunc}) {
            const std::string name(runtime->name);
            const auto root = open_owned_directory(dirfd, name, kStrict, owner);
            const std::string path = fmt::format("{}/{}", directory, name);
            if (root)
                read_root(root->get(), path, *runtime, owner);
            else if (!is_absent(root))
                overlooked_.push_back({path, owner, root.error().message});
        }
    }

    // If that isn't about the directory: a missing one, or another user's, holds no containers.
    void note_unopened(const std::string& directory, uid_t owner, const Error& why) {
        if (why.exit_code == EX_OSERR) overlooked_.push_back({directory, owner, why.message});
    }

    // One of the machine's own. Nothing if it is missing.
    UniqueFd open(const std::string& directory) {
        auto fd = open_directory(directory);
        if (!fd && !is_absent(fd)) overlooked_.push_back({directory, 0, fd.error().message});
        return fd ? std::move(*fd) : UniqueFd();
    }

    std::vector<UnreadableStateDir> overlooked() && { return std::move(overlooked_); }

private:
    Status read_state(int dirfd, const std::string& id, const Runtime& runtime, uid_t owner) {
        if (!is_container_id(id)) return Error{EX_DATAERR, "not a container's ID"};
        const auto text = TRY(read_owned_file(dirfd, fmt::format("{}/{}", id, runtime.file),
                                              kStrict, owner, kMaxState));
        auto container = TRY(runtime.parse(text));
        const auto process = TRY(process_of(container));
        TRY(prove_owner(process, owner));
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
};

// The number behind the prefix, if that is all there is and not root's.
std::optional<uid_t> uid_in(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    uid_t uid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), uid);
    if (error != std::errc() || end != name.data() + name.size() || uid == 0 ||
        fmt::to_string(uid) != name)
        return std::nullopt;
    return uid;
}

void read_roots(Reader& reader) {
    for (const auto& [directory, runtime] : kRootsRuntimes)
        if (const UniqueFd fd = reader.open(directory))
            reader.read_root(fd.get(), directory, *runtime, 0);
    for (const char* const directory : kNamespacedRoots) {
        const UniqueFd fd = reader.open(directory);
        if (!fd) continue;
        for (const std::string& name : reader.list(fd.get(), directory, 0, kMaxStates))
            if (const auto root = open_owned_directory(fd.get(), name, kStrict, 0))
                reader.read_root(root->get(), fmt::format("{}/{}", directory, name), kRunc, 0);
            else
                reader.note_unopened(fmt::format("{}/{}", directory, name), 0, root.error());
    }
}

void read_users(Reader& reader) {
    for (const auto& [directory, prefix] : kUsersPlaces) {
        const UniqueFd fd = reader.open(directory);
        if (!fd) continue;
        for (const std::string& name : reader.list(fd.get(), directory, 0, SIZE_MAX)) {
            const auto uid = uid_in(name, prefix);
            if (!uid) continue;
            // systemd mounts a file system of its own for each user. In /tmp any user may make a
            // directory of that name: another's is none.
            if (const auto own = open_owned_directory(fd.get(), name,
                                                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, *uid))
                reader.read_user(own->get(), fmt::format("{}/{}", directory, name), *uid);
            else
                reader.note_unopened(fmt::format("{}/{}", directory, name), *uid, own.error());
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
    // Through links on the way, as /home may be one, but not through those of /proc, which lead
    // into other processes.
    return read_owned_file(AT_FDCWD, path, RESOLVE_NO_MAGICLINKS, container.owner, kMaxConfigBytes);
}

}  // namespace jail_ai
