// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See bundle.h.
#include "container/bundle.h"

#include <fmt/format.h>

#include "base/quoted.h"
#include "container/json.h"

namespace jail_ai {
namespace {

Result<std::string> string_or_empty(const rapidjson::Value& object, std::string_view key) {
    auto member = find_string(object, key);
    if (!member) return std::move(member).error();
    return *member == nullptr ? std::string() : std::string(string_of(**member));
}

Result<Mount> parse_mount(const rapidjson::Value& value) {
    if (!value.IsObject()) return Error{EX_DATAERR, fmt::format("{}, not an object", kind_of(value))};
    auto destination = string_or_empty(value, "destination");
    if (!destination) return std::move(destination).error();
    auto source = string_or_empty(value, "source");
    if (!source) return std::move(source).error();
    auto type = string_or_empty(value, "type");
    if (!type) return std::move(type).error();
    return Mount{std::move(*destination), std::move(*source), std::move(*type)};
}

}  // namespace

const std::string* Bundle::mounted_at(std::string_view destination) const {
    for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount)
        if (mount->destination == destination) return &mount->source;
    return nullptr;
}

Result<Bundle> parse_bundle(std::string_view json) {
    auto document = parse_json_object(json);
    if (!document) return std::move(document).error();
    Bundle bundle;
    auto mounts = find_array(*document, "mounts");
    if (!mounts) return std::move(mounts).error();
    if (*mounts != nullptr) {
        for (const auto& value : (**mounts).GetArray()) {
            auto mount = parse_mount(value);
            if (!mount) return std::move(mount).error().context(fmt::format("mounts[{}]", bundle.mounts.size()));
            bundle.mounts.push_back(std::move(*mount));
        }
    }
    return bundle;
}

}  // namespace jail_ai
