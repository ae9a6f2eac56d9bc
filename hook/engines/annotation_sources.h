// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Finds what annotation_authors.h needs: the annotations of a container's image in
// containers/storage, and those of its pod in the sandbox's bundle.
#pragma once

#include <string>

#include "base/result.h"
#include "container/state.h"
#include "engines/annotation_authors.h"

namespace jail_ai {

// Removes from a container's annotations, as a runtime or a config.json has them, what no person
// who runs the container has said. The bundle's path is as the engine wrote it:
// STORAGE/DRIVER-containers/ID/userdata shows containers/storage, in which podman has the image
// beside the container, and CRI-O the sandbox. Reads nothing if no annotation loosens. If a
// source can't be read, what depends on it has no effect (image), or the call fails (pod).
Result<IgnoredAnnotations> ignore_others_annotations(Annotations& annotations,
                                                     const std::string& id,
                                                     const std::string& bundle);

}  // namespace jail_ai
