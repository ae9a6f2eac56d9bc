// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Denials as they happen, from what all jails of this machine remember, those among them that start
// later. Nothing is changed in the kernel, so that any number of processes may follow.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "bpf/abi.h"
#include "container/request.h"
#include "jail/open_jail.h"

namespace jail_ai {

struct DenialEvent {
    RecentDenial denial;         // the last of `seen.count` since the look before
    std::string_view container;  // the runtime's id; empty if unknown
    std::string_view name;       // as its engine calls it; empty if unknown
    Mode mode;
};

class Events {
public:
    using Each = std::function<void(const DenialEvent&)>;
    using Lost = std::function<void(std::string_view container, std::uint64_t count)>;
    // With its name, metadata, counts and denials.
    using Ended = std::function<void(const JailSnapshot&)>;

    static constexpr int kLookMs = 100;  // a denial is reported so long after it came, at most

    // Raises the limit on descriptors: to be made before the process confines itself.
    Events();

    // To be called once, before take(): what jails remember from before is passed over. Errors:
    // EX_NOPERM, EX_OSERR.
    Status begin();

    // To be called every kLookMs. Reports what has been denied meanwhile, jail by jail, in its
    // order; looks for jails that have started and lets go of those that have ended; and reports
    // now and then how many denials of each were lost, because it had forgotten them by then.
    Status take(const Each& each, const Lost& lost, const Ended& ended);

    // The last of them.
    Status take_last(const Each& each, const Lost& lost);

private:
    class Stream;

    Status find_new(bool were_there_before);
    Status keep_up(const Each& each, const Lost& lost, const Ended& ended);
    void report_lost(const Lost& lost);

    // By the id of the jail's first program.
    std::map<std::uint32_t, std::shared_ptr<Stream>> streams_;
    OtherPrograms others_;
    std::uint32_t last_program_ = 0;
    unsigned calls_ = 0;
    std::uint64_t next_look_ = 0;  // ns of CLOCK_MONOTONIC
    unsigned looks_ = 0;
};

}  // namespace jail_ai
