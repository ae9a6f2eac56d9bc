// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What doctor finds, and how it is shown.
#pragma once

#include <string>
#include <vector>

namespace jail_ai {

enum class Grade {
    ok,
    warning,  // the block works, and there is something to know
    problem,  // with this the block does not work
};

// One line. `remedy` is empty where there is nothing to do.
struct Finding {
    Grade grade;
    std::string topic;  // "kernel", "hooks" …; a topic may come several times
    std::string what;
    std::string remedy;
};

bool block_works(const std::vector<Finding>& findings);

// For people: a line a finding, the remedy on a line below it, and a last line that says whether the block works here.
std::string render_text(const std::vector<Finding>& findings, bool coloured);

// {"works": bool, "findings": [{"grade": "ok"|"warning"|"problem", "topic", "what", "remedy"}]}, on one line. Bytes that are not UTF-8 come as
// U+FFFD.
std::string render_json(const std::vector<Finding>& findings);

}  // namespace jail_ai
