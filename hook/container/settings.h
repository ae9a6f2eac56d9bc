// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What there is to set, for those who list, store or compare settings without knowing each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "container/request.h"

namespace jail_ai {

// A setting as people write it.
struct SettingWords {
    // "allow": of the flag --allow and of the annotation jail-ai.block-host.allow.
    std::string_view name;
    std::vector<std::string_view> words;  // that it may have as they stand; of a list that takes
                                          // others, too, those that are fixed
    bool is_list;
    std::string help;  // half a line
};
std::vector<SettingWords> setting_words();

// The annotation's key: "jail-ai.block-host.allow", or "jail-ai.block-host" for block-host itself.
std::string annotation_key(std::string_view setting);

// What of a request its policy is made of, as annotations would have it: parse_settings() and
// join_settings() make the same of it.
std::vector<RawSetting> policy_settings(const Request& request);

// True for an annotation that can leave more open than its absence, or than another value of it,
// does: "allow", "accept", "on-failure=run" and so on. False for keys that are no setting's.
bool may_loosen(std::string_view key, std::string_view value);

}  // namespace jail_ai
