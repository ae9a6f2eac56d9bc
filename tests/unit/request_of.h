// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container asks for where the administrator says nothing.
#pragma once

#include "container/request.h"

inline jail_ai::Result<jail_ai::Request> request_of(const jail_ai::Annotations& annotations) {
    const auto asked = TRY(jail_ai::parse_annotations(annotations));
    return jail_ai::join_settings({}, asked);
}
