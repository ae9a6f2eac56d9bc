// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See container_lookup.h.
#include "system/container_lookup.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <vector>

#include "base/quoted.h"
#include "container/runtime_state.h"
#include "system/file.h"
#include "system/process.h"
#include "system/running_containers.h"

namespace jail_ai {
namespace {

// Names in a directory; none where it isn't there.
std::vector<std::string> names_in(const char* path) {
    std::vector<std::string> names;
    const Directory directory(::opendir(path));
    while (const dirent* entry = directory == nullptr ? nullptr : ::readdir(directory.get()))
        if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    return names;
}

// Containers whose ID begins so, by ID. Where root's and a user's have the same, root's is meant. What a user's bundle leads to is not for root to
// read.
std::map<std::string, FoundContainer> in_states(std::string_view beginning) {
    std::map<std::string, FoundContainer> found;
    for_each_container([&](const RunningContainer& each) {
        if (each.id.starts_with(beginning))
            found.try_emplace(each.id, FoundContainer{each.id, each.process.pid(), each.owner == 0 ? each.bundle : std::string()});
    });
    return found;
}

template <typename Each>
void for_each_process(Each&& each) {
    for (const std::string& name : names_in("/proc")) {
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc() || end != name.data() + name.size()) continue;
        if (const auto process = Process::open(pid)) each(*process);
    }
}

// What conmon says an ID is called. A container could hold a process of that name, too: it is in another mount namespace.
std::string id_of_name(std::string_view name) {
    std::string id;
    for_each_process([&](const Process& process) {
        const auto cmdline = read_kernel_file(process.proc_fd(), "cmdline");
        if (!cmdline) return;
        const std::string_view found = id_of_named(*cmdline, name);
        if (found.empty()) return;
        const auto at_home = process.shares_namespace("mnt");
        if (at_home && *at_home) id = found;
    });
    return id;
}

// The ID in a cgroup path that ends in libpod-ID, libpod-ID.scope, libpod-payload-ID or one of these and /container; else nothing.
std::string_view id_in_cgroup(std::string_view path) {
    const std::size_t at = path.find("libpod-");
    if (at == std::string_view::npos) return {};
    std::string_view id = path.substr(at + 7);
    if (id.starts_with("conmon-")) return {};
    if (id.starts_with("payload-")) id.remove_prefix(8);
    return id.substr(0, id.find_first_of("./"));
}

// First processes of containers whose cgroup names such an ID.
std::map<std::string, FoundContainer> in_cgroups(std::string_view beginning) {
    std::map<std::string, FoundContainer> found;
    for_each_process([&](const Process& process) {
        const auto text = read_kernel_file(process.proc_fd(), "cgroup");
        if (!text) return;
        const std::size_t line = text->find("0::");
        if (line == std::string::npos) return;
        std::string_view path = std::string_view(*text).substr(line);
        const std::string_view id = id_in_cgroup(path.substr(0, path.find('\n')));
        if (id.empty() || !id.starts_with(beginning)) return;
        const auto is_first = process.is_first_of_pid_namespace();
        if (is_first && *is_first) found.try_emplace(std::string(id), FoundContainer{std::string(id), process.pid(), {}});
    });
    return found;
}

}  // namespace

Result<FoundContainer> find_container(const std::string& word) {
    if (word.empty()) return Error{EX_USAGE, "a container's ID or name is missing"};
    auto found = in_states(word);
    if (found.empty()) {
        const std::string id = id_of_name(word);
        if (!id.empty()) found = in_states(id);
        if (found.empty()) found = in_cgroups(id.empty() ? word : id);
    }
    if (found.empty()) return Error{EX_NOINPUT, fmt::format("no container {} runs", quoted(word))};
    if (found.size() > 1 && !found.contains(word))
        return Error{EX_USAGE, fmt::format("{} containers begin with {}: write more of the ID", found.size(), quoted(word))};
    return found.size() > 1 ? found.at(word) : found.begin()->second;
}

}  // namespace jail_ai
