// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/bundle_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <optional>

#include "base/absence.h"
#include "base/quote.h"
#include "engines/container_name_files.h"
#include "system/file.h"

namespace jail_ai {
namespace {

// What the engine mounts at `destination`; nothing if that is nothing, or the engine will write
// it later.
Result<std::optional<UniqueFd>> open_mounted(const BundleFiles& files,
                                             std::string_view destination) {
    const std::string* source = files.bundle.mounted_at(destination);
    if (source == nullptr || source->empty()) return std::optional<UniqueFd>();
    auto fd = open_regular_file(files.directory.get(), *source);
    if (is_absent(fd)) return std::optional<UniqueFd>();
    if (!fd) return std::move(fd).error();
    return std::optional(std::move(*fd));
}

template <typename Read>
Result<std::string> read_mounted(const BundleFiles& files, std::string_view destination,
                                 Read read) {
    auto fd = open_mounted(files, destination);
    if (fd && !*fd) return std::string();
    auto text = fd ? read((*fd)->get()) : Result<std::string>(std::move(fd).error());
    if (!text)
        return std::move(text).error().context(fmt::format("the container's {}", destination));
    return text;
}

}  // namespace

Result<BundleFiles> BundleFiles::open(const std::string& path) {
    UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return lookup_error(fmt::format("open bundle {}", quote(path)), errno, Sought::file);
    auto text = read_regular_file(directory.get(), "config.json", kMaxConfigBytes);
    if (!text) return std::move(text).error().context(fmt::format("bundle {}", quote(path)));
    const std::string what = fmt::format("config.json of bundle {}", quote(path));
    auto config = TRY(Config::parse(std::move(*text)).context(what));
    auto bundle = TRY(parse_bundle(config.json()).context(what));
    return BundleFiles{std::move(config), std::move(bundle), path, std::move(directory)};
}

Result<NameFiles> BundleFiles::read_name_files() const {
    auto hosts = TRY(read_mounted(*this, "/etc/hosts", read_host_lines));
    auto resolv_conf = TRY(read_mounted(*this, "/etc/resolv.conf",
                                        [](int fd) { return read_all(fd, kMaxResolvConf); }));
    return name_files(bundle, std::move(hosts), std::move(resolv_conf));
}

}  // namespace jail_ai
