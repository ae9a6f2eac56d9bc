// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every verb, in the order in which help lists them. Each stands in a file of its name.
#pragma once

#include "commands/verb.h"

namespace jail_ai {

extern const Verb kCreateRuntime, kPrecreate, kRuntime, kBroker, kExplain, kStatus, kLog, kWhy,
    kSuggest, kRefresh, kWatch, kVerify, kAttach, kDetach, kDoctor;

inline constexpr const Verb* kVerbs[] = {
    &kCreateRuntime, &kPrecreate, &kRuntime, &kBroker, &kExplain, &kStatus, &kLog,   &kWhy,
    &kSuggest,       &kRefresh,   &kWatch,   &kVerify, &kAttach,  &kDetach, &kDoctor};

}  // namespace jail_ai
