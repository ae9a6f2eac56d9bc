// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A bundle's config.json (OCI runtime-spec, config.md), parsed once: what the hook makes of its
// parts reads this.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <utility>

#include "base/result.h"
#include "container/json.h"

namespace jail_ai {

inline constexpr std::size_t kMaxConfigBytes =
    16u << 20;  // with a full seccomp profile it is about 100 kB

class Config {
public:
    // Errors as parse_json_object().
    static Result<Config> parse(std::string text) {
        auto json = TRY(parse_json_object(text));
        return Config(std::move(text), std::move(json));
    }

    const std::string& text() const { return text_; }
    const rapidjson::Document& json() const { return json_; }

private:
    Config(std::string text, rapidjson::Document json)
        : text_(std::move(text)), json_(std::move(json)) {}

    std::string text_;
    rapidjson::Document json_;  // of copies, so that the text may move
};

}  // namespace jail_ai
