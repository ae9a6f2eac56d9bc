// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/containers_conf_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/quote.h"
#include "engines/containers_conf.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxFile = 1U << 20;

// The hook's own environment is what its JSON says, and dropped at the start.
UserSettings settings_of(pid_t runtime) {
    UserSettings settings;
    auto environment = read_kernel_file(AT_FDCWD, fmt::format("/proc/{}/environ", runtime).c_str());
    if (!environment) return settings;  // another's: then what is the same for all counts
    for (const std::string_view variable : words_of(*environment)) {
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
    const auto files =
        TRY(settings_files(settings_of(runtime), !is_root).context("podman's settings"));
    for (const std::string& file : files) {
        auto text = read_regular_file(AT_FDCWD, file, kMaxFile);
        if (!text && text.error().exit_code == EX_NOINPUT) continue;
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
