// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See bundle_files.h.
#include "system/bundle_files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/quote.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxMountedFile = 8U << 20;  // hosts files that block advertisers hold a few MB

}  // namespace

Result<BundleFiles> BundleFiles::open(const std::string& path) {
    UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return system_error(fmt::format("open bundle {}", quote(path)), errno, EX_NOINPUT);
    auto text = read_regular_file(directory.get(), "config.json", kMaxConfigBytes);
    if (!text) return std::move(text).error().context(fmt::format("bundle {}", quote(path)));
    auto bundle = parse_bundle(*text);
    if (!bundle) return std::move(bundle).error().context(fmt::format("config.json of bundle {}", quote(path)));
    return BundleFiles{std::move(*text), std::move(*bundle), std::move(directory)};
}

Result<std::string> BundleFiles::read_mounted(std::string_view destination) const {
    const std::string* source = bundle.mounted_at(destination);
    if (source == nullptr || source->empty()) return std::string();
    auto text = read_regular_file(directory.get(), *source, kMaxMountedFile);
    if (!text && text.error().exit_code == EX_NOINPUT) return std::string();
    if (!text) return std::move(text).error().context(fmt::format("the container's {}", destination));
    return text;
}

Result<NameFiles> BundleFiles::read_name_files() const {
    auto hosts = read_mounted("/etc/hosts");
    if (!hosts) return std::move(hosts).error();
    auto resolv_conf = read_mounted("/etc/resolv.conf");
    if (!resolv_conf) return std::move(resolv_conf).error();
    return name_files(bundle, std::move(*hosts), std::move(*resolv_conf));
}

}  // namespace jail_ai
