// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/container_lookup.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <vector>

#include "base/quote.h"
#include "engines/container_names.h"
#include "engines/running_containers.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

using Candidates = std::map<std::string, RunningContainer>;  // by ID

// By the runtimes' states. If root's and a user's have the same ID, root's is meant. What a
// user's bundle leads to is not for root to read.
Candidates in_states() {
    Candidates found;
    for_each_container([&](const RunningContainer& each, const Process& first) {
        const auto [at, is_new] = found.emplace(each.id, each);
        if (!is_new) return;
        at->second.name = name_of(each, first);
        if (each.owner != 0) at->second.bundle.clear();
    });
    return found;
}

// The ID in a cgroup path that ends in libpod-ID, libpod-ID.scope, libpod-payload-ID or one of
// these and /container; else nothing.
std::string_view id_in_cgroup(std::string_view path) {
    const std::size_t at = path.find("libpod-");
    if (at == std::string_view::npos) return {};
    std::string_view id = path.substr(at + 7);
    if (id.starts_with("conmon-")) return {};
    if (id.starts_with("payload-")) id.remove_prefix(8);
    return id.substr(0, id.find_first_of("./"));
}

// By the cgroups of first processes, for runtimes whose states aren't known.
Result<Candidates> in_cgroups() {
    Candidates found;
    const auto pids = TRY(list_processes());
    for (const pid_t pid : pids) {
        const auto process = Process::open(pid);
        if (!process) continue;
        const auto text = read_kernel_file(process->proc_fd(), "cgroup");
        if (!text) continue;
        const std::size_t line = text->find("0::");
        if (line == std::string::npos) continue;
        std::string_view path = std::string_view(*text).substr(line);
        const std::string id(id_in_cgroup(path.substr(0, path.find('\n'))));
        if (id.empty() || found.contains(id)) continue;
        const auto is_first = process->is_first_of_pid_namespace();
        if (is_first && *is_first)
            found.emplace(
                id, RunningContainer{.id = id, .name = engine_name(*process, id), .pid = pid});
    }
    return found;
}

// Nothing if there is no such container.
Result<std::optional<RunningContainer>> choose(const Candidates& candidates,
                                               const std::string& word) {
    std::vector<RunningContainer> meant;
    for (const auto& [id, candidate] : candidates) {
        if (id == word && candidate.owner == 0) return std::optional(candidate);
        if (id.starts_with(word) || candidate.name == word) meant.push_back(candidate);
    }
    if (meant.size() > 1)
        return Error{EX_USAGE, fmt::format("{} containers are called {}, or have an ID that begins "
                                           "so: write more of the ID, or its process (--pid)",
                                           meant.size(), quote(word))};
    return meant.empty() ? std::optional<RunningContainer>()
                         : std::optional(std::move(meant.front()));
}

}  // namespace

Result<RunningContainer> find_container(const std::string& word) {
    if (word.empty()) return Error{EX_USAGE, "a container's ID or name is missing"};
    auto found = TRY(choose(in_states(), word));
    if (!found) {
        auto candidates = TRY(in_cgroups());
        found = TRY(choose(std::move(candidates), word));
    }
    if (found) return std::move(*found);
    return Error{EX_NOINPUT, fmt::format("no container {} runs", quote(word))};
}

}  // namespace jail_ai
