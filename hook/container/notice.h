// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container is given so that an agent in it understands a denial: an environment variable
// with the container's own settings, and a file with what is the same for all. For engines that ask
// before they start the runtime, and for what stands in for a runtime.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

inline constexpr std::string_view kNoticeVariable = "JAIL_AI_NOTICE";
inline constexpr std::string_view kNoticeFile = "/run/jail-ai-hook.md";  // in the container

// The variable's value, a line: what is denied, what is allowed, whom to ask. `has_file`: it
// refers to the file.
std::string notice_text(const Request& request, bool has_file);

// What the container's root directory is, below its mounts.
enum class RootFiles { writable, read_only };

// Gives a proposed config.json, in `text`, which parse_json_object() made `config` of, the variable
// and a read-only bind of `file`, a path on the host, or empty for no file. What is there already
// stays: a variable of that name; and a mount on the file's place or around it, other than a
// writable tmpfs, in which the runtime would make a file that remains. In read-only files it could
// make none, and would not start the container: no file there, either. Apart from process.env and
// mounts the result is the same, byte for byte; to do it again changes nothing. Errors: EX_DATAERR
// for what has not its type.
Result<std::string> add_notice(const rapidjson::Document& config, std::string_view text,
                               const Request& request, std::string_view file, RootFiles root);

}  // namespace jail_ai
