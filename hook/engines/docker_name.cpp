// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/docker_name.h"

#include <fmt/format.h>
#include <unistd.h>

#include "engines/runtime_state.h"
#include "system/owned_file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMost = 1U << 20;

}  // namespace

std::string docker_name(const BundleFiles& files, std::string_view id, uid_t owner) {
    if (files.path.empty()) return {};
    const std::string* const hosts = files.bundle.mounted_at("/etc/hosts");
    if (hosts == nullptr || !hosts->ends_with(fmt::format("/{}/hosts", id))) return {};
    const std::string directory = hosts->substr(0, hosts->rfind('/'));
    const auto json = read_owned_file_through_links(directory + "/config.v2.json", owner, kMost);
    const auto name = json ? parse_docker_name(*json, id) : Result<std::string>(json.error());
    return name ? *name : std::string();
}

std::string docker_name(const RunningContainer& container) {
    const bool may_read = container.owner == 0 || container.owner == ::geteuid();
    if (!container.is_dockers() || !may_read) return {};
    const auto files = BundleFiles::open(container.bundle);
    return files ? docker_name(*files, container.id, container.owner) : std::string();
}

}  // namespace jail_ai
