// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/containers_conf_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/absence.h"
#include "base/quote.h"
#include "engines/containers_conf.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxFile = 1U << 20;

// The hook's own environment is what its JSON says, and dropped at the start.
Result<UserSettings> settings_of(pid_t runtime) {
    UserSettings settings;
    // EACCES: another's (ptrace(2)). Then what is the same for all counts.
    const auto file = TRY(open_if_there(AT_FDCWD, fmt::format("/proc/{}/environ", runtime),
                                        O_RDONLY, Sought::reachable_file));
    if (!file) return settings;
    const auto environment =
        TRY(read_all(file->get(), kMaxFile).context("the runtime's environment"));
    for (const std::string_view variable : words_of(environment)) {
        const std::string_view name = variable.substr(0, variable.find('='));
        const std::string_view value = variable.substr(std::min(name.size() + 1, variable.size()));
        if (name == "CONTAINERS_CONF") settings.containers_conf = value;
        if (name == "CONTAINERS_CONF_OVERRIDE") settings.override_conf = value;
        if (name == "XDG_CONFIG_HOME") settings.config_home = value;
        if (name == "HOME") settings.home = value;
    }
    return settings;
}

}  // namespace

Result<std::vector<std::string>> settings_files(const UserSettings& settings, bool rootless) {
    std::vector<std::string> files;
    const auto add = [&](const std::string& directory) -> Status {
        files.push_back(directory + "/containers.conf");
        auto dropped_in = TRY(files_in(directory + "/containers.conf.d", ".conf"));
        std::ranges::move(dropped_in, std::back_inserter(files));
        return ok();
    };
    if (!settings.containers_conf.empty()) {
        files.push_back(settings.containers_conf);
    } else {
        files.emplace_back("/usr/share/containers/containers.conf");
        TRY(add("/etc/containers"));
        if (rootless && !settings.config_home.empty())
            TRY(add(settings.config_home + "/containers"));
        else if (rootless && !settings.home.empty())
            TRY(add(settings.home + "/.config/containers"));
    }
    if (!settings.override_conf.empty()) files.push_back(settings.override_conf);
    return files;
}

Result<UserNetwork> configured_user_network(pid_t runtime) {
    auto is_root = TRY(in_initial_user_namespace());
    std::vector<std::string> slirp, pasta;
    const auto settings = TRY(settings_of(runtime));
    const auto files = TRY(settings_files(settings, !is_root).context("podman's settings"));
    for (const std::string& file : files) {
        auto text = read_regular_file(AT_FDCWD, file, kMaxFile);
        if (is_absent(text)) continue;
        if (!text) return std::move(text).error().context("podman's settings");
        auto conf = parse_containers_conf(*text);
        if (!conf)
            return std::move(conf).error().context(
                fmt::format("podman's settings: {}", quote(file)));
        take_list(conf->network_cmd_options, slirp);
        take_list(conf->pasta_options, pasta);
    }
    UserNetwork network;
    read_slirp_options(std::vector<std::string_view>(slirp.begin(), slirp.end()), network);
    read_pasta_options(std::vector<std::string_view>(pasta.begin(), pasta.end()), network);
    return network;
}

}  // namespace jail_ai
