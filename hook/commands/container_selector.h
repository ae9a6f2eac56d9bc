// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "VERB [CONTAINER]…": which containers that means. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/running_container.h"

namespace jail_ai {

// Which containers words mean: those whose ID is that or begins so, and those of that name. Anyone
// who gives a container of theirs the beginning of another's ID for a name, or for an ID, doesn't
// hide that. No words mean all.
class ContainerSelector {
public:
    ContainerSelector(std::vector<std::string> words, std::vector<RunningContainer> named)
        : words_(std::move(words)), named_(std::move(named)) {}

    bool all() const { return words_.empty(); }
    bool has(std::string_view id) const;

    // The first word that means none of these IDs, or nullptr.
    const std::string* first_unknown(std::span<const std::string_view> ids) const;

private:
    bool means(const std::string& word, std::string_view id) const;

    std::vector<std::string> words_;
    std::vector<RunningContainer> named_;
};

// EX_NOINPUT for a word that means none of the jails, of whose containers these are the IDs.
Status check_jailed(const ContainerSelector& meant, std::span<const std::string_view> ids);

}  // namespace jail_ai
