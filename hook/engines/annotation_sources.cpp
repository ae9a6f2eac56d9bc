// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/annotation_sources.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/absence.h"
#include "base/quote.h"
#include "base/unique_fd.h"
#include "container/asking.h"
#include "container/config.h"
#include "container/settings.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxManifest = 4U << 20;         // registries take no larger one
constexpr std::size_t kMaxContainersList = 32U << 20;  // about 1 kB a container
constexpr std::size_t kMaxManifests =
    64;  // of one image, which has one for each manifest list that it was pulled by
constexpr std::string_view kContainers = "-containers";

// The driver's name, where the bundle lies in containers/storage: "overlay".
std::optional<std::string> driver_of(std::string_view bundle, std::string_view id) {
    const std::string rest = fmt::format("/{}/userdata", id);
    if (!bundle.ends_with(rest)) return std::nullopt;
    bundle.remove_suffix(rest.size());
    bundle.remove_prefix(std::min(bundle.rfind('/') + 1, bundle.size()));
    if (!bundle.ends_with(kContainers)) return std::nullopt;
    bundle.remove_suffix(kContainers.size());
    return std::string(bundle);
}

// Whether the engine is podman, whose containers are listed beside their bundles, and of which
// image the container is. CRI-O's bundles are elsewhere.
struct Listed {
    bool anywhere = false;             // there is a list
    std::optional<std::string> image;  // nothing if the container is in none
};

Result<Listed> find_listed(int bundle, const std::string& id) {
    Listed listed;
    for (const char* list : {"containers.json", "volatile-containers.json"}) {
        auto text = read_regular_file(bundle, fmt::format("../../{}", list), kMaxContainersList);
        if (is_absent(text)) continue;
        if (!text) return std::move(text).error();
        listed.anywhere = true;
        auto image = TRY(find_image_id(*text, id).context(list));
        if (image) listed.image = std::move(image);
    }
    return listed;
}

// Reads all manifests of the image: another may have come since the container was made, by a pull
// of the same image with other annotations.
Result<AnnotationPairs> read_image_annotations(int image) {
    auto names = TRY(list_directory(image, "."));
    std::erase_if(names, [](const std::string& name) { return !is_manifest_name(name); });
    if (names.size() > kMaxManifests)
        return Error{EX_DATAERR, fmt::format("more than {} manifests", kMaxManifests)};
    if (names.empty()) return Error{EX_NOINPUT, "it has no manifest"};
    AnnotationPairs all;
    for (const std::string& name : names) {
        auto text = TRY(read_regular_file(image, name, kMaxManifest));
        auto pairs = TRY(parse_manifest_annotations(text).context("its manifest"));
        all.merge(pairs);
    }
    return all;
}

// Nothing if the engine is not podman, or the container is of no image.
Result<std::optional<AnnotationPairs>> find_image_annotations(int bundle, const std::string& driver,
                                                              const std::string& id) {
    auto config = TRY(read_regular_file(bundle, "config.json", kMaxConfigBytes));
    auto merged = TRY(may_have_image_annotations(config).context("config.json"));
    if (!merged) return std::optional<AnnotationPairs>();
    auto listed = find_listed(bundle, id);
    if (!listed) return std::move(listed).error();
    if (!listed->anywhere) return std::optional<AnnotationPairs>();
    if (!listed->image) return Error{EX_NOINPUT, "podman's storage does not list the container"};
    if (listed->image->empty()) return std::optional<AnnotationPairs>();
    const std::string path = fmt::format("../../../{}-images/{}", driver, *listed->image);
    const UniqueFd image(::openat(bundle, path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!image)
        return lookup_error(fmt::format("open image {}", *listed->image), errno, Sought::file);
    auto pairs = read_image_annotations(image.get());
    if (!pairs) return std::move(pairs).error().context(fmt::format("image {}", *listed->image));
    return std::optional(std::move(*pairs));
}

bool any_may_loosen(const Annotations& annotations) {
    return std::ranges::any_of(annotations, [](const auto& annotation) {
        return may_loosen(annotation.first, annotation.second);
    });
}

IgnoredAnnotations ignore_images(Annotations& annotations, int bundle, const std::string& driver,
                                 const std::string& id) {
    if (!any_may_loosen(annotations)) return {};
    const auto image = find_image_annotations(bundle, driver, id);
    if (!image) return ignore_loosening_annotations(annotations, image.error().message);
    return *image ? ignore_image_annotations(annotations, **image) : IgnoredAnnotations{};
}

Result<Annotations> read_pod_annotations(int bundle, const std::string& sandbox) {
    if (sandbox.empty() || sandbox.find('/') != std::string::npos || sandbox.starts_with('.'))
        return Error{EX_DATAERR, fmt::format("{} is not an ID", quote(sandbox))};
    auto config = TRY(read_regular_file(
        bundle, fmt::format("../../{}/userdata/config.json", sandbox), kMaxConfigBytes));
    auto json = TRY(parse_json_object(config));
    return read_annotations(json);
}

Result<IgnoredAnnotations> ignore_loosening_of_pod(Annotations& annotations, int bundle,
                                                   const std::string& sandbox) {
    auto pod = read_pod_annotations(bundle, sandbox);
    if (!pod)
        return std::move(pod).error().context(fmt::format(
            "what pod {} asks, which its container may not loosen, can't be read", quote(sandbox)));
    return hold_to_pod(annotations, *pod);
}

}  // namespace

Result<IgnoredAnnotations> ignore_others_annotations(Annotations& annotations,
                                                     const std::string& id,
                                                     const std::string& bundle) {
    const auto driver = driver_of(bundle, id);
    if (!driver || !asks_something(annotations)) return IgnoredAnnotations{};
    const UniqueFd directory(::open(bundle.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return lookup_error(fmt::format("open bundle {}", quote(bundle)), errno, Sought::file);
    // An image may well say that the engine is CRI-O.
    IgnoredAnnotations ignored = ignore_images(annotations, directory.get(), *driver, id);
    const auto sandbox = find_sandbox_id(annotations, id);
    if (!sandbox) return ignored;
    auto by_pod = TRY(ignore_loosening_of_pod(annotations, directory.get(), *sandbox));
    std::ranges::move(by_pod, std::back_inserter(ignored));
    return ignored;
}

}  // namespace jail_ai
