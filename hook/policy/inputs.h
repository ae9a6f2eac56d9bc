// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a policy is compiled from, without the addresses that the host has at the moment: kept with
// each jail, so that its policy can be compiled again when those change, from nothing that whatever
// is in the container has been able to touch since.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "container/request.h"
#include "policy/policy.h"

namespace jail_ai {

struct PolicyInputs {
    Request request;
    NetworkFacts host;  // without its routes
};

inline constexpr std::size_t kMaxInputsBytes = 256U << 10;

// One "KEY VALUE" a line. Errors: EX_UNAVAILABLE for more than kMaxInputsBytes.
Result<std::string> write_inputs(const PolicyInputs& inputs);

// Errors: EX_DATAERR for what write_inputs() would not have written.
Result<PolicyInputs> read_inputs(std::string_view text);

}  // namespace jail_ai
