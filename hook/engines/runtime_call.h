// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What an engine asks of an OCI runtime, by the words that it calls it with (runc(8), crun(1)).
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace jail_ai {

// Where the runtime is to report a failure (--log); empty if nowhere but on stderr.
struct RuntimeLog {
    std::string path;
    bool is_json = false;  // --log-format: engines find the reason there, and show it
};

struct RuntimeCall {
    RuntimeLog log;
    // From create, run or restore on; empty if the runtime is called for something else.
    std::span<const std::string> start;
};

// The words after the runtime's name. An option that is not known may take the next word for its
// value, or not: the call starts a container if either reading does.
RuntimeCall parse_runtime_call(std::span<const std::string> words);

struct BundlePlace {
    std::string directory = ".";         // relative to the working directory unless absolute
    std::string config = "config.json";  // relative to that directory unless absolute
};

// Where `start` of a call has the container. Errors (EX_USAGE) for what runc and crun read
// differently: a bundle that is named twice, options run together behind one hyphen.
Result<BundlePlace> find_bundle(std::span<const std::string> start);

// What the runtime would write there of a failure, a line with its end. `time` is UTC, as in
// RFC 3339.
std::string log_line(const RuntimeLog& log, std::string_view message, std::string_view time);

}  // namespace jail_ai
