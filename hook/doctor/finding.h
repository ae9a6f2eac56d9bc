// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How what doctor finds is shown.
#pragma once

#include <string>

#include "verify/finding.h"

namespace jail_ai {

bool block_works(const Findings& findings);

// For people: a line a finding, the remedy on a line below it, and a last line that says whether
// the block works here.
std::string render_text(const Findings& findings, bool coloured);

// {"works": bool, "findings": [{"grade": "ok"|"warning"|"problem", "topic", "what", "remedy"}]}, on
// one line. Bytes that are not UTF-8 come as U+FFFD.
std::string render_json(const Findings& findings);

}  // namespace jail_ai
