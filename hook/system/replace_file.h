// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Another text for a file that others read.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace jail_ai {

// The file of that name in the directory has the old text or the new one, and never a part: another
// file takes its place, with the mode and owner of `like`, which is open. If the name is a link,
// the link is what goes. Errors: EX_IOERR, EX_NOPERM.
Status replace_file(int directory, const std::string& name, std::string_view text, int like);

}  // namespace jail_ai
