// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Links to the hook that stand for the verb runtime with a runtime: all that containerd, Docker and
// BuildKit can be given is the path of one, and Docker's runtimeArgs put a shell script in between.
#pragma once

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

namespace jail_ai {

// Each is installed beside the hook's own in the path.
inline constexpr std::string_view kRuntimeLinks[] = {"jail-ai-runc", "jail-ai-crun"};
inline constexpr std::string_view kLinkPrefix = "jail-ai-";

// "jail-ai-runc ARGUMENT…" as "runtime -- runc ARGUMENT…", of words of a command line, the first of
// which is the name that it was called by. Empty if that is another name.
inline std::vector<char*> words_by_link(std::span<char* const> called) {
    static char verb[] = "runtime", end_of_options[] = "--";
    if (called.empty()) return {};
    const std::string_view path = called.front();
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (std::ranges::find(kRuntimeLinks, name) == std::end(kRuntimeLinks)) return {};
    std::vector<char*> words{verb, end_of_options,
                             called.front() + (path.size() - name.size() + kLinkPrefix.size())};
    words.insert(words.end(), called.begin() + 1, called.end());
    return words;
}

}  // namespace jail_ai
