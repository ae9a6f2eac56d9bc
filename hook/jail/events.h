// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Denials as they happen, read from the ring buffers of all jails on this machine, those among them
// that start later.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "bpf/abi.h"
#include "container/request.h"
#include "jail/open_jail.h"
#include "system/lock_file.h"

namespace jail_ai {

struct DenialEvent {
    jail_event event;
    std::string_view container;  // the runtime's id; empty if unknown
    Mode mode;
    std::uint64_t cgroup;  // its id, or 0
};

class Events {
public:
    using Each = std::function<void(const DenialEvent&)>;
    using Lost = std::function<void(std::string_view container, std::uint64_t count)>;
    // With its metadata, counts and denials.
    using Ended = std::function<void(const JailSnapshot&)>;

    static constexpr int kLookMs = 100;  // a new jail's events wait in its buffer for that long

    // A ring buffer has one reader: EX_TEMPFAIL if another process of this machine is it. Other
    // errors: EX_NOPERM, EX_OSERR.
    static Result<Events> open();

    // To be called once, before take(): what lies in the buffers from before is passed over.
    Status begin();

    // Readable (epoll(7)) while there are any.
    int fd() const { return epoll_.get(); }

    // To be called when they are readable, and after kLookMs whatever happens. Reports those that
    // have happened meanwhile, jail by jail, in their order; when it is time, also looks for jails
    // that have started and lets go of those that have ended, and reports how many each has lost
    // because they were not read in time.
    Status take(const Each& each, const Lost& lost, const Ended& ended);

    // The last of them.
    Status take_last(const Each& each, const Lost& lost);

private:
    class Stream;

    Events(LockFile lock, UniqueFd epoll, std::uint64_t since)
        : lock_(std::move(lock)), epoll_(std::move(epoll)), since_(since) {}

    Status find_new(bool were_there_before);
    Status take_all(const Each& each);
    Status keep_up(const Each& each, const Ended& ended);
    Status report_lost(const Lost& lost);

    LockFile lock_;
    UniqueFd epoll_;
    std::uint64_t since_;  // ns of CLOCK_BOOTTIME
    // By the id of the jail's first program.
    std::map<std::uint32_t, std::shared_ptr<Stream>> streams_;
    OtherPrograms others_;
    std::uint32_t last_program_ = 0;
    unsigned calls_ = 0;
    std::uint64_t next_look_ = 0;  // ns of CLOCK_MONOTONIC
    unsigned looks_ = 0;
};

}  // namespace jail_ai
