// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The socket that rootless engines' hooks connect to, with one process behind it: it accepts,
// counts what each person has, and starts a process for each connection within that.
//
// # Theory of operation
//
// What users share is the queue of the socket, this process, and the machine's processors and
// memory. The queue is emptied at once: a connection beyond its person's share gets the answer
// "busy" and is closed, which takes microseconds and no process. This process reads no byte of what
// users send, and has no capability in effect: the ones that it was started with are there for
// those that it starts, which get them by execve(2). (A filter or a bounding set of its own would
// be theirs, too.) They are started by execve and not only forked, so that no two have the same
// layout of memory or the same canaries: who may crash one again and again learns nothing about the
// next.
//
// A share is a person's and not a uid's (system/person.h): an ordinary user has 65,536 more of
// those. Where /etc/subuid and /etc/passwd don't know a uid, the cgroup says whose it is: the
// topmost that isn't root's, which a service manager gave to that user.
//
// The hook that gets the answer "busy" asks again after a while (broker/client.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace jail_ai {

// Requests of one person that are served at once, and of all of them.
inline constexpr std::size_t kShareOfPerson = 4;
inline constexpr std::size_t kMostRequests = 256;

// Does the descriptor accept connections (SO_ACCEPTCONN, unix(7))?
Result<bool> is_listening(int fd);

// Starts this program with those words for each connection, which is its standard input, until
// there has been none for so long; then no request is left. A connection that comes
// afterwards stays in the socket's queue, for the next process that listens. Warns of who has used
// up a share (broker/notices.h); what a request is rejected for its own process reports. Errors:
// EX_OSERR.
Status serve_connections(int listener, const std::vector<std::string>& words, unsigned idle_seconds,
                         const std::function<void(std::string line)>& warn);

}  // namespace jail_ai
