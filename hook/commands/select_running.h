// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which of the containers that run words mean.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "commands/container_selector.h"
#include "engines/container_names.h"

namespace jail_ai {

// No names are looked up if there are no words.
inline ContainerSelector select_running(std::vector<std::string> words) {
    std::vector<RunningContainer> named;
    if (!words.empty()) named = named_containers();
    return {std::move(words), std::move(named)};
}

}  // namespace jail_ai
