// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A container's ID, as runtimes take it and as it is shown. A user may give a container any ID.
#pragma once

#include <string>
#include <string_view>

namespace jail_ai {

// Could a runtime have taken that for a container's ID? Both crun and runc take letters, digits and
// _ + - . alone, and neither "." nor "..".
bool is_container_id(std::string_view word);

// As `podman ps` shows it: the first 12 characters of an ID of 64; another ID whole. What is not an
// ID is quoted.
std::string shown_id(std::string_view id);

// "container 4a5b6c7d8e9f", with a name as below; "an unknown container" if the ID is empty.
std::string container_text(std::string_view id, std::string_view name = {});

// "4a5b6c7d8e9f (agent)"; without a name the ID alone. `name` is an ID by its characters.
std::string shown_container(std::string_view id, std::string_view name);

}  // namespace jail_ai
