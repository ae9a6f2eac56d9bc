// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the tests assert again and again, with doctest's CHECK inside: a failing line names the
// place in here, the case names the rest.
#pragma once

#include <string>
#include <vector>

#include "attempt.h"
#include "container.h"
#include "jail/inspect.h"
#include "policy/risks.h"

namespace jail_ai::test {

std::string error_name(int error);  // "EPERM"; "none" for 0
// An attempt from where the child is, with a token that nobody asks for: the error's name.
std::string try_from(Child& child, Way way, const Destination& to);
std::string name_of(Place place);
// Where the token arrived, by name: at the place, if it came there in time.
std::string arrival(Token token, Place place);

DenialCounts denials(const TestCgroup& cgroup);
// "local+1", or "" for no change.
std::string change(const DenialCounts& before, const DenialCounts& after);
std::string one_more(jail_reason reason);

void fail_row(const std::string& why);
// Runs it as a row of a table: an exception fails this row and no other.
template <typename Row>
void guarded(Row row) {
    try {
        row();
    } catch (const std::exception& error) {
        fail_row(error.what());
    } catch (...) {
        fail_row("a REQUIRE failed");
    }
}

// What a jail has on this kernel, in a network namespace of its own and in the engine's.
Guard usual_guard();
Guard guard_in_shared_network();

// The hook said yes and nothing else, and the kernel lists each program once, ALLOW_MULTI its only
// flag; so does the product.
void expect_jailed(const HookOutcome& outcome, const TestCgroup& cgroup,
                   Guard guard = usual_guard());
std::size_t programs_of_a_jail(Guard guard = usual_guard());
void expect_programs_attached(const TestCgroup& cgroup, Guard guard = usual_guard());

// The hook said no: with that exit code and one line, containing the part, on stderr and the same
// in syslog. Nothing is attached.
void expect_refused(const HookOutcome& outcome, int exit_code, const std::string& part,
                    const TestCgroup& cgroup);
// The same without a look at a cgroup.
void expect_refusal(const HookOutcome& outcome, int exit_code, const std::string& part);

// From where the child is: TCP and UDP to the host fail with EPERM, don't arrive and are counted by
// the cgroup's jail; the internet is reached.
void expect_host_blocked(Child& child, const TestCgroup& jail);
void expect_host_reached(Child& child);

}  // namespace jail_ai::test
