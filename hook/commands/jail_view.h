// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Verbs that show jails: to root all of the machine's; to another user their own, which the broker
// reads for them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "broker/protocol.h"
#include "commands/arguments.h"
#include "commands/outcome.h"
#include "commands/verb.h"
#include "jail/reader.h"
#include "jail/snapshot.h"
#include "policy/inputs.h"
#include "sandbox/sandbox.h"

namespace jail_ai {

struct JailView {
    const Verb& verb;
    Role role;  // root's
    // What the verb prints of jails that were read as `part` and are of the containers.
    Result<std::string> (*text)(const Arguments& asked, const std::vector<JailSnapshot>& jails);
    JailPart part = JailPart::denials;
    std::vector<std::string> (*containers)(const Arguments& asked) = [](const Arguments& asked) {
        return asked.words;
    };
};

// EX_UNAVAILABLE, for who is asked about one.
Error of_another_version();

// What a jail was made of, with the machine's routes as they are now. Errors: as read_inputs(), and
// EX_UNAVAILABLE for a jail of another version.
Result<PolicyInputs> inputs_of(const JailSnapshot& jail, std::vector<LocalRoute> routes);

extern const JailView kStatusView, kLogView, kSuggestView, kExplainView;

// What such a verb does. Confines the process. Errors: as read_jails() and select_jails(), or
// ask_to_show().
Result<Outcome> show_jails(const JailView& view, const Arguments& asked);

// The broker's part: what the verb shows of the user's own jails. Errors: EX_USAGE for words that
// no view takes; as above.
Result<std::string> show_jails_of(uid_t user, const ShowRequest& request);

}  // namespace jail_ai
