// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See list.h.
#include "jail/list.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/quoted.h"
#include "container/cgroup_path.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

Result<std::string> cgroup2_mount() {
    auto self = open_proc_self();
    if (!self) return std::move(self).error();
    auto mountinfo = read_kernel_file(self->get(), "mountinfo");
    if (!mountinfo) return std::move(mountinfo).error();
    for (const std::string& mount : find_cgroup_mounts(*mountinfo)) {
        struct statfs info {};
        if (::statfs(mount.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) return mount;
    }
    return Error{EX_UNAVAILABLE, "no cgroup v2 is mounted here"};
}

Status read_about(const ProgramMap& map, JailReport& report) {
    const std::uint32_t first = 0;
    jail_about about{};
    std::vector<char> value((map.value_size + std::size_t{7}) & ~std::size_t{7});  // the kernel copies whole words
    if (value.size() < sizeof about) return ok();
    if (::bpf_map_lookup_elem(map.fd.get(), &first, value.data()) != 0) return system_error("read jail_about", errno);
    std::memcpy(&about, value.data(), sizeof about);
    if (about.version != JAIL_ABOUT_VERSION || about.inputs_size > map.value_size - sizeof about) return ok();
    report.inputs.assign(value.data() + sizeof about, about.inputs_size);
    about.container[sizeof about.container - 1] = '\0';
    report.about = about;
    return ok();
}

Status read_denials(const ProgramMap& map, JailReport& report) {
    Counters counters{};
    if (auto read = read_counters(map.fd.get(), counters); !read) return read;
    std::copy_n(counters.begin(), report.denials.size(), report.denials.begin());
    report.lost_events = counters[JAIL_LOST_EVENTS];
    return ok();
}

// What is forgotten while one reads is left out. The walk is bounded, for the programs may add faster than it goes.
void read_refusals(const ProgramMap& map, JailReport& report) {
    if (map.value_size != sizeof(jail_refusal_seen)) return;
    Refusal refusal{};
    const jail_refusal* last = nullptr;
    jail_refusal key{};
    for (std::size_t i = 0; i < std::size_t{2} * JAIL_MAX_REFUSALS && ::bpf_map_get_next_key(map.fd.get(), last, &refusal.what) == 0; ++i) {
        key = refusal.what;
        last = &key;
        if (::bpf_map_lookup_elem(map.fd.get(), &key, &refusal.seen) == 0) report.refusals.push_back(refusal);
    }
    std::ranges::sort(report.refusals, [](const Refusal& a, const Refusal& b) { return a.seen.last > b.seen.last; });
}

void count_prefixes(const ProgramMap& map, JailReport& report) {
    jail_key key{}, next{};
    const jail_key* last = nullptr;
    while (report.prefixes <= JAIL_MAX_RULES && ::bpf_map_get_next_key(map.fd.get(), last, &next) == 0) {
        key = next;
        last = &key;
        ++report.prefixes;
    }
}

Status read_maps(int program_fd, JailReport& report) {
    auto maps = maps_of(program_fd);
    if (!maps) return std::move(maps).error();
    for (const ProgramMap& map : *maps) {
        Status read = ok();
        if (map.name == "jail_about") read = read_about(map, report);
        if (map.name == "jail_denials") read = read_denials(map, report);
        if (map.name == "jail_refusals") read_refusals(map, report);
        if (map.name == "jail_rules") count_prefixes(map, report);
        if (!read) return read;
    }
    return ok();
}

// Nothing for a cgroup without a jail of its own, or one that is gone.
Result<std::optional<JailReport>> look_at(const std::string& directory) {
    const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::optional<JailReport>();
    if (!fd) return system_error("open", errno);
    auto first = attached_programs(fd.get(), kProgramTable.front());
    if (!first) return std::move(first).error();
    if (first->empty()) return std::optional<JailReport>();
    JailReport report{};
    auto programs = attached_programs(fd.get());
    if (!programs) return std::move(programs).error();
    for (const AttachedProgram& program : *programs) report.programs.push_back(program.name);
    if (auto read = read_maps(first->front().fd.get(), report); !read) return std::move(read).error();
    return std::optional(std::move(report));
}

}  // namespace

Result<std::vector<JailReport>> list_jails() {
    auto mount = cgroup2_mount();
    if (!mount) return std::move(mount).error();
    std::vector<JailReport> jails;
    const auto add = [&](const std::string& directory) -> Status {
        auto report = look_at(directory);
        if (!report) return std::move(report).error().context(fmt::format("cgroup {}", jail_ai::quoted(directory)));
        if (!*report) return ok();
        (**report).cgroup = directory.size() > mount->size() ? directory.substr(mount->size()) : "/";
        jails.push_back(std::move(**report));
        return ok();
    };
    if (auto added = add(*mount); !added) return std::move(added).error();
    std::error_code error;
    namespace fs = std::filesystem;
    for (fs::recursive_directory_iterator at(*mount, fs::directory_options::skip_permission_denied, error), end; at != end; at.increment(error)) {
        if (error) break;  // a directory that is gone: what else there is in it is, too
        std::error_code unknown;
        if (!at->is_directory(unknown)) continue;
        if (auto added = add(at->path().string()); !added) return std::move(added).error();
    }
    std::ranges::sort(jails, {}, &JailReport::cgroup);
    return jails;
}

}  // namespace jail_ai
