// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/bundle.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"
#include "container/capability_names.h"
#include "container/json.h"

namespace jail_ai {
namespace {

Result<std::vector<std::string>> strings(const rapidjson::Value& object, std::string_view key) {
    std::vector<std::string> all;
    auto array = TRY(find_array(object, key));
    if (array == nullptr) return all;
    for (const auto& value : array->GetArray()) {
        if (!value.IsString())
            return Error{EX_DATAERR, fmt::format("{}[{}] is {}, not a string", key, all.size(),
                                                 kind_of(value))};
        all.emplace_back(string_of(value));
    }
    return all;
}

Result<Mount> parse_mount(const rapidjson::Value& value) {
    if (!value.IsObject())
        return Error{EX_DATAERR, fmt::format("{}, not an object", kind_of(value))};
    auto destination = TRY(string_or_empty(value, "destination"));
    auto source = TRY(string_or_empty(value, "source"));
    auto type = TRY(string_or_empty(value, "type"));
    auto options = TRY(strings(value, "options"));
    return Mount{std::move(destination), std::move(source), std::move(type), std::move(options)};
}

Result<std::vector<Mount>> parse_mounts(const rapidjson::Value& config) {
    std::vector<Mount> mounts;
    auto array = TRY(find_array(config, "mounts"));
    if (array == nullptr) return mounts;
    for (const auto& value : array->GetArray()) {
        auto mount = parse_mount(value);
        if (!mount)
            return std::move(mount).error().context(fmt::format("mounts[{}]", mounts.size()));
        mounts.push_back(std::move(*mount));
    }
    return mounts;
}

Result<std::set<std::string>> parse_capabilities(const rapidjson::Value& config) {
    std::set<std::string> all;
    auto process = TRY(find_object(config, "process"));
    if (process == nullptr) return all;
    auto sets = TRY(find_object(*process, "capabilities").context("process"));
    if (sets == nullptr) return all;
    for (const auto& member : sets->GetObject()) {
        auto names = TRY(strings(*sets, string_of(member.name)).context("process.capabilities"));
        for (const std::string& name : names) {
            const auto known = capability_named(name);
            if (!known)
                return Error{EX_DATAERR,
                             fmt::format("process.capabilities: {} is not a capability, and "
                                         "runtimes differ in what they make of it: drop it",
                                         quote(name))};
            all.emplace(*known);
        }
    }
    return all;
}

Result<std::string> parse_root(const rapidjson::Value& config) {
    auto root = TRY(find_object(config, "root"));
    if (root == nullptr) return std::string();
    auto path = TRY(string_or_empty(*root, "path").context("root"));
    return path;
}

struct Namespaces {
    std::set<std::string> all;
    std::set<std::string> joined;
    std::string network_path;
};

Result<Namespaces> parse_namespaces(const rapidjson::Value& config) {
    Namespaces types;
    auto linux_part = TRY(find_object(config, "linux"));
    if (linux_part == nullptr) return types;
    auto array = TRY(find_array(*linux_part, "namespaces").context("linux"));
    if (array == nullptr) return types;
    for (const auto& value : array->GetArray()) {
        if (!value.IsObject())
            return Error{EX_DATAERR,
                         fmt::format("linux.namespaces holds {}, not an object", kind_of(value))};
        auto type = TRY(string_or_empty(value, "type").context("linux.namespaces"));
        auto path = string_or_empty(value, "path");
        if (!path) return std::move(path).error().context("linux.namespaces");
        if (!path->empty()) types.joined.insert(type);
        if (type == "network") types.network_path = std::move(*path);
        types.all.insert(std::move(type));
    }
    return types;
}

// By what the kubelet's engines keep of a pod. podman does, too, and says whose it is.
bool is_of_pod(const rapidjson::Value& config) {
    const auto annotations = find_object(config, "annotations");
    if (!annotations || *annotations == nullptr) return false;
    const auto manager = find_string(**annotations, "io.container.manager");
    if (manager && *manager != nullptr && string_of(**manager) == "libpod") return false;
    const auto& members = (*annotations)->GetObject();
    return std::any_of(members.begin(), members.end(), [](const auto& member) {
        return string_of(member.name).starts_with("io.kubernetes.");
    });
}

}  // namespace

bool Mount::has_option(std::string_view option) const {
    return std::ranges::find(options, option) != options.end();
}

const std::string* Bundle::mounted_at(std::string_view destination) const {
    const auto last = std::find_if(mounts.rbegin(), mounts.rend(), [&](const Mount& mount) {
        return mount.destination == destination;
    });
    return last == mounts.rend() ? nullptr : &last->source;
}

Result<Bundle> parse_bundle(const rapidjson::Value& config) {
    TRY(check_unambiguous(config));
    auto mounts = TRY(parse_mounts(config));
    auto capabilities = TRY(parse_capabilities(config));
    auto namespaces = TRY(parse_namespaces(config));
    auto root = TRY(parse_root(config));
    Bundle bundle{std::move(mounts), std::move(capabilities), std::move(namespaces.all),
                  std::move(namespaces.joined), std::move(namespaces.network_path)};
    bundle.root = std::move(root);
    bundle.of_pod = is_of_pod(config);
    return bundle;
}

}  // namespace jail_ai
