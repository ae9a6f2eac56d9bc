// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Refusals as they happen, out of the ring buffers of all jails on this machine, those among them that start later.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "../bpf/abi.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "container/request.h"
#include "jail/open_jail.h"

namespace jail_ai {

struct Happened {
    jail_event event;
    std::string_view container;  // the runtime's id; empty where unknown
    Mode mode;
};

class Events {
public:
    // A ring buffer has one reader: EX_TEMPFAIL where another process of this machine is it. What lies in the buffers from before is passed over.
    // Other errors: EX_NOPERM, EX_OSERR.
    static Result<Events> open();

    // Readable (epoll(7)) while there are any.
    int fd() const { return epoll_.get(); }

    // Finds jails that have started and lets go of those that have ended, after a last look into their buffers. Until it is called a new jail's
    // events stay in its buffer.
    Status keep_up(const std::function<void(const Happened&)>& each);

    // Those that have happened meanwhile, jail by jail, in their order.
    Status take(const std::function<void(const Happened&)>& each);

    // Calls it for each jail that has lost events since the last call, because nobody fetched them in time.
    Status tell_lost(const std::function<void(std::string_view container, std::uint64_t count)>& each);

private:
    class Stream;

    Events(UniqueFd lock, UniqueFd epoll, std::uint64_t since) : lock_(std::move(lock)), epoll_(std::move(epoll)), since_(since) {}

    Status find_new(bool were_there_before);

    UniqueFd lock_;
    UniqueFd epoll_;
    std::uint64_t since_;                                       // ns of CLOCK_BOOTTIME
    std::map<std::uint32_t, std::shared_ptr<Stream>> streams_;  // by the id of the jail's first program
    JailWalk jails_;
    std::uint32_t last_program_ = 0;
    unsigned calls_ = 0;
};

}  // namespace jail_ai
