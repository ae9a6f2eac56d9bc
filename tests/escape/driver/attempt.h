// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One attempt of one route, from a fresh token to what the host saw of it.
#pragma once

#include <map>
#include <string>

#include "capture.h"
#include "earlier.h"
#include "lab.h"
#include "listeners.h"
#include "sender.h"
#include "table.h"

namespace escape {

struct Outcome {
    int error = -1;  // what the route said: 0 when the kernel took everything, otherwise an errno;
                     // -1 when it died or hung
    bool arrived = false;  // the host saw its data (of a bare route: any packet)
    bool packet = false;   // the host saw any packet
    bool alive = false;    // a datagram to ext got out afterwards
    std::string how;       // what the host saw
};

class Stage {
public:
    // `adversary` is the path of its binary.
    Stage(Lab& lab, const std::string& adversary);

    // `expected`: the route is known to get through, so that what a kernel worker has still to
    // deliver is waited for longer. `earlier`: for a route that needs one.
    Outcome attempt(const Route& route, const Cgroup& cgroup, uint64_t capabilities,
                    bool expected = false, EarlierSockets* earlier = nullptr);
    // A fresh network namespace for the container.
    void renew();

private:
    struct Handed;
    std::vector<std::string> arguments(const Route& route, const Bytes& token);
    void watch(Sender& sender, std::vector<Frame>& frames, std::vector<Frame>& outgoing);
    // False when what carries the container's network has ended.
    bool flush(bool shared, std::vector<Frame>& frames, std::vector<Frame>& outgoing);

    Lab& lab_;
    Capture capture_;
    Listeners listeners_;
    jail_ai::UniqueFd binary_, flusher_, shared_flusher_;
    uint64_t flushes_ = 0;
    std::map<std::string, unsigned> turns_;  // by route
};

}  // namespace escape
