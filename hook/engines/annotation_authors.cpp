// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/annotation_authors.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/quote.h"
#include "container/asking.h"
#include "container/json.h"
#include "container/settings.h"

namespace jail_ai {
namespace {

constexpr std::string_view kAlso = "jail-ai.block-host.also";

std::optional<std::string> sandbox_by_crio(const Annotations& annotations) {
    const auto manager = annotations.find("io.container.manager");
    if (manager == annotations.end() || manager->second != "cri-o") return std::nullopt;
    const auto sandbox = annotations.find("io.kubernetes.cri-o.SandboxID");
    return sandbox == annotations.end() ? std::nullopt : std::optional(sandbox->second);
}

std::string ignored(std::string_view key, std::string_view value, std::string_view why) {
    return fmt::format("annotation {}={} has no effect: {}", key, quote(value), why);
}

template <typename Check>
IgnoredAnnotations erase_loosening(Annotations& annotations, Check&& why_not) {
    IgnoredAnnotations notes;
    std::erase_if(annotations, [&](const auto& annotation) {
        const auto& [key, value] = annotation;
        const std::optional<std::string> why =
            may_loosen(key, value) ? why_not(annotation) : std::nullopt;
        if (why) notes.push_back(ignored(key, value, *why));
        return why.has_value();
    });
    return notes;
}

// False for an unknown word: that rejects the container anyhow.
bool is_tighter(std::string_view mode, std::string_view other) {
    const auto* const first = find_named(kModes, mode);
    const auto* const second = find_named(kModes, other);
    return first != nullptr && second != nullptr && first->value > second->value;
}

bool is_file_name(std::string_view id) {
    constexpr std::string_view kLetters = "0123456789abcdefABCDEF";
    return !id.empty() && id.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

Result<AnnotationPairs> parse_manifest_annotations(std::string_view manifest) {
    auto document = TRY(parse_json_object(manifest));
    AnnotationPairs pairs;
    for (const auto& [name, annotations] : std::as_const(document).GetObject()) {
        if (!is_read_as(string_of(name), "annotations") || annotations.IsNull()) continue;
        if (!annotations.IsObject())
            return Error{EX_DATAERR, fmt::format("{} is {}, not an object", quote(string_of(name)),
                                                 kind_of(annotations))};
        for (const auto& [key, value] : annotations.GetObject())
            if (value.IsString()) pairs.emplace(string_of(key), string_of(value));
    }
    return pairs;
}

IgnoredAnnotations ignore_image_annotations(Annotations& annotations,
                                            const AnnotationPairs& image) {
    return erase_loosening(annotations, [&](const auto& annotation) -> std::optional<std::string> {
        if (!image.contains(std::pair<std::string, std::string>(annotation))) return std::nullopt;
        return "the image has the same, and podman before 4.5.1 gives containers what their image "
               "has: if it is yours, write the list in another "
               "order or with a space at its end, or make it a flag of createRuntime";
    });
}

IgnoredAnnotations ignore_loosening_annotations(Annotations& annotations, std::string_view why) {
    return erase_loosening(annotations, [&](const auto&) {
        return std::optional(
            fmt::format("it may be the image's, which podman before 4.5.1 gives containers, and "
                        "that can't be ruled out: {}: make it a flag of "
                        "createRuntime, or use podman 5",
                        why));
    });
}

Result<bool> may_have_image_annotations(std::string_view config) {
    constexpr unsigned kFirstMajor = 1, kFirstMinor = 2;  // of podman 5.0
    auto document = TRY(parse_json_object(config));
    auto version = TRY(string_or_empty(document, "ociVersion"));
    unsigned major = 0, minor = 0;
    const char* const end = version.data() + version.size();
    const auto first = std::from_chars(version.data(), end, major);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return true;
    const auto second = std::from_chars(first.ptr + 1, end, minor);
    if (second.ec != std::errc() || second.ptr == end || *second.ptr != '.') return true;
    return major < kFirstMajor || (major == kFirstMajor && minor < kFirstMinor);
}

Result<std::optional<std::string>> find_image_id(std::string_view containers_json,
                                                 std::string_view container) {
    // The reader takes objects alone, so that the list becomes the member of one.
    auto document = TRY(parse_json_object(fmt::format("{{\"containers\":{}}}", containers_json)));
    auto list = TRY(find_array(document, "containers"));
    for (const rapidjson::Value& each : list->GetArray()) {
        if (!each.IsObject())
            return Error{EX_DATAERR, fmt::format("an entry is {}, not an object", kind_of(each))};
        auto id = TRY(string_or_empty(each, "id"));
        if (id != container) continue;
        auto image = string_or_empty(each, "image");
        if (!image) return std::move(image).error();
        if (!image->empty() && !is_file_name(*image))
            return Error{EX_DATAERR, fmt::format("image {} is not an ID", quote(*image))};
        return std::optional(std::move(*image));
    }
    return std::optional<std::string>();
}

bool is_manifest_name(std::string_view name) {
    constexpr std::string_view kManifestInBase64 = "=bWFuaWZlc3Qt";
    return name == "manifest" || name.starts_with("manifest-") ||
           name.starts_with(kManifestInBase64);
}

std::optional<std::string> find_sandbox_id(const Annotations& annotations, std::string_view id) {
    auto sandbox = sandbox_by_crio(annotations);
    return sandbox == id ? std::nullopt : std::move(sandbox);
}

bool is_sandbox_of_pod(const Annotations& annotations, std::string_view id) {
    return sandbox_by_crio(annotations) == id;
}

IgnoredAnnotations hold_to_pod(Annotations& annotations, const Annotations& pod) {
    IgnoredAnnotations notes;
    const auto mode = pod.find(kBlockHost);
    if (!asks_something(pod) || (mode != pod.end() && mode->second == mode_name(Mode::off)))
        return notes;
    for (auto it = pod.lower_bound(kAnnotationPrefix);
         it != pod.end() && it->first.starts_with(kAnnotationPrefix); ++it) {
        std::string& value = annotations.try_emplace(it->first, it->second).first->second;
        if (value == it->second) continue;
        if (it->first == kAlso) {
            value = it->second + " " + value;
        } else if (may_loosen(it->first, value) &&
                   !(it->first == kBlockHost && is_tighter(value, it->second))) {
            notes.push_back(ignored(it->first, value,
                                    fmt::format("the pod has {}, which a container may not loosen",
                                                quote(it->second))));
            value = it->second;
        }
    }
    auto others =
        erase_loosening(annotations, [&](const auto& annotation) -> std::optional<std::string> {
            if (pod.contains(annotation.first)) return std::nullopt;
            return "a container may not loosen what its pod asks: annotate the pod";
        });
    notes.insert(notes.end(), others.begin(), others.end());
    return notes;
}

}  // namespace jail_ai
