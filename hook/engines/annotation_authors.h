// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Who may have written an annotation. A container's annotations come as one list without their
// authors: podman before 4.5.1 adds those of the image, CRI-O adds the pod's and
// lets a container's replace them. Neither an image nor a container of a pod may loosen what the
// user, or the pod, asks.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "container/state.h"

namespace jail_ai {

// One entry each, for the log: which annotation has no effect, and why.
using IgnoredAnnotations = std::vector<std::string>;

// Key and value of each. A set, because JSON may give a key twice and which one counts is the
// reader's choice.
using AnnotationPairs = std::set<std::pair<std::string, std::string>, std::less<>>;

// Reads the annotations of an image manifest as Go's encoding/json does, which podman uses: names
// of members in any case, and all of those that are there twice. Fails with EX_DATAERR for what is
// no manifest.
Result<AnnotationPairs> parse_manifest_annotations(std::string_view manifest);

// Removes the annotations that loosen and that the image has as well, key and value.
IgnoredAnnotations ignore_image_annotations(Annotations& annotations, const AnnotationPairs& image);

// Removes all that loosen, where `why` the image's annotations aren't known.
IgnoredAnnotations ignore_loosening_annotations(Annotations& annotations, std::string_view why);

// False if the engine that made this config.json is known to leave the image's annotations out:
// by its ociVersion, which is that of the engine's copy of the runtime-spec and stays with the
// container. podman has 1.0.2-dev to 1.1.0-rc.1 before 4.5.1, and 1.2.0 from 5.0 on; a distribution
// may have built an older podman with 1.1.0. Fails with EX_DATAERR for what is not a config.json.
Result<bool> may_have_image_annotations(std::string_view config);

// The ID of the image that containers.json of containers/storage names for the container: empty if
// it was made of no image, nothing if the container is not listed. Fails with EX_DATAERR for
// another JSON, or an ID that is not a file name.
Result<std::optional<std::string>> find_image_id(std::string_view containers_json,
                                                 std::string_view container);

// Whether a file in the image's directory of containers/storage is a manifest: "manifest", or a
// name that begins with "manifest-", in base64.
bool is_manifest_name(std::string_view name);

// The ID of the pod's sandbox, if this is a container that CRI-O has put into a pod.
std::optional<std::string> find_sandbox_id(const Annotations& annotations, std::string_view id);

// Whether this is the sandbox itself, for which CRI-O calls no hooks.
bool is_sandbox_of_pod(const Annotations& annotations, std::string_view id);

// Gives the pod's settings precedence: a container's annotations may tighten them and never loosen.
IgnoredAnnotations hold_to_pod(Annotations& annotations, const Annotations& pod);

}  // namespace jail_ai
