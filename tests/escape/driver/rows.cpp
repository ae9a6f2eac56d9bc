// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every route, first without the jail (a route that does not get through there proves nothing),
// then with it.
#include <sys/socket.h>
#include <sysexits.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "attempt.h"
#include "failure.h"
#include "programs.h"
#include "suite.h"

namespace escape {

namespace {

std::string said(const Outcome& outcome) {
    return outcome.error < 0    ? "it died or hung"
           : outcome.error == 0 ? "no error"
                                : std::strerror(outcome.error);
}

// Both jails: of a container with a network namespace of its own, and of one in the host's.
struct Jails {
    Cgroup own, shared;
    EarlierSockets earlier;  // of `own`

    Jails(const Options& options, const Workplace& workplace, const Lab& lab)
        : own(workplace.make_cgroup("own")),
          shared(workplace.make_cgroup("shared")),
          earlier(lab, own) {
        for (auto [cgroup, netns] :
             {std::pair{&own, lab.container()}, std::pair{&shared, lab.host()}}) {
            // What is allowed is there for the routes that abuse it: one port of the host, and one
            // of the container's own loopback.
            Annotations allowed = {
                {"jail-ai.block-host.allow", "[" + std::string(lab.world().host6) +
                                                 "]:" + std::to_string(reflector_port) + "/udp"}};
            HookResult result = run_hook(workplace, lab, options.hook, *cgroup, netns, allowed);
            errno = EPROTO;
            if (result.exit_code != 0)
                give_up("jail " + cgroup->path + ": exit status " +
                        std::to_string(result.exit_code) + ": " + result.message);
            if (attached_programs(cgroup->directory.get()) == 0)
                give_up("jail " + cgroup->path + ": nothing attached");
        }
    }
};

class Rows {
public:
    Rows(const Options& options, const Workplace& workplace, Lab& lab, Tally& tally)
        : options_(options),
          workplace_(workplace),
          lab_(lab),
          tally_(tally),
          free_(workplace.make_cgroup("free")),
          table_(read_table(options.table)),
          routes_(list_routes(options.adversary)) {
        check_table();
    }

    void run() {
        // Before the stage's listeners: without the guard the hook rejects what could reach the one
        // for vsock.
        earlier_.emplace(lab_, free_);
        if (!options_.hook.empty()) jails_.emplace(options_, workplace_, lab_);
        Stage stage(lab_, options_.adversary);
        for (const Route& route : routes_) {
            if (route.name.find(options_.only) == std::string::npos) continue;
            auto expected = table_.find(route.name);
            if (!belongs(route)) continue;
            if (expected != table_.end()) row(stage, route, expected->second);
            if (route.needs_word("net_admin")) stage.renew();
        }
        if (unproved_ > 0)
            std::printf("# %s%u routes did not get through unjailed\n", tally_.world.c_str(),
                        unproved_);
        if (!jails_) return;
        children(stage);
        refusals();
    }

private:
    // Some routes need something that only one world has.
    bool belongs(const Route& route) const {
        return std::none_of(route.needs.begin(), route.needs.end(), [&](const std::string& word) {
            return word.rfind("world=", 0) == 0 && word.substr(6) != lab_.world().name;
        });
    }

    void check_table() {
        std::set<std::string> names;
        for (const Route& route : routes_) {
            names.insert(route.name);
            if (!table_.contains(route.name)) tally_.fail(route.name, "not in the table");
        }
        for (const auto& [name, expectation] : table_)
            if (!names.contains(name))
                tally_.fail(name, "in the table, but the adversary has no such route");
    }

    void row(Stage& stage, const Route& route, const Expectation& expected) {
        uint64_t capabilities = route.capabilities();
        Outcome bare = stage.attempt(route, free_, capabilities, false, &*earlier_);
        if (bare.error < 0) return tally_.fail(route.name, "the adversary died or hung");
        if (!bare.arrived) {
            unproved_++;
            if (tally_.world.empty())
                tally_.skip(route.name, "did not get through unjailed (" + said(bare) + ")");
            return;
        }
        if (!jails_) return tally_.pass(route.name + " gets through unjailed: " + bare.how);
        if (route.needs_word("net_admin")) stage.renew();

        const Cgroup& jail = route.needs_word("shared") ? jails_->shared : jails_->own;
        uint64_t before = denials(jail.directory.get());
        Outcome jailed = stage.attempt(route, jail, capabilities, expected.closer == Closer::open,
                                       &jails_->earlier);
        bool counted = denials(jail.directory.get()) > before;
        bool stopped = !jailed.arrived && !jailed.packet;
        switch (expected.closer) {
            case Closer::connect:
            case Closer::sendmsg:
                return tally_.check(name(route, expected),
                                    closed(jailed, stopped, counted, jailed.error == EPERM));
            case Closer::egress:
                return tally_.check(name(route, expected), closed(jailed, stopped, counted, true));
            case Closer::guard:
                if (guard_in_force(jail.directory.get()) ||
                    (expected.means == "unix" && unix_hooks_in_force(jail.directory.get())))
                    return tally_.check(name(route, expected), closed(jailed, stopped, true, true));
                break;
            case Closer::refused:
            case Closer::open: break;
        }
        if (stopped)
            return tally_.fail(route.name, std::string("the table says ") +
                                               closer_name(expected.closer) +
                                               ", but it was stopped (" + said(jailed) + ")");
        if (expected.closer == Closer::refused)
            means_.insert({expected.means, route.needs_word("shared")});
        if (capabilities != 0) {
            if (route.needs_word("net_admin")) stage.renew();
            Outcome without = stage.attempt(route, free_, 0);
            if (without.arrived)
                return tally_.fail(route.name,
                                   "said to need capabilities, but without them: " + without.how);
        }
        tally_.known_open(route.name, std::string(closer_name(expected.closer)) +
                                          (expected.means.empty() ? "" : ":" + expected.means) +
                                          (expected.why.empty() ? "" : ": " + expected.why) + " (" +
                                          jailed.how + ")");
    }

    static std::string name(const Route& route, const Expectation& expected) {
        return route.name + " (" + closer_name(expected.closer) + ")";
    }

    static std::string closed(const Outcome& jailed, bool stopped, bool counted, bool right_error) {
        if (!stopped) return "ARRIVED: " + jailed.how + " (the route said: " + said(jailed) + ")";
        if (!jailed.alive)
            return "nothing arrived, but nor did a datagram to ext: a dead network proves nothing "
                   "(" +
                   said(jailed) + ")";
        if (!right_error) return "nothing arrived, but the caller was told: " + said(jailed);
        if (!counted) return "nothing arrived, but no denial was counted (" + said(jailed) + ")";
        return "";
    }

    // A cgroup that the container makes below its own: one route for each program.
    void children(Stage& stage) {
        Cgroup child = workplace_.make_cgroup("own/child");
        for (const char* name : {"tcp/v4", "tcp/v6", "udp/sendto-v4", "udp/sendto-v6",
                                 "udplite/connect-v4", "raw/icmp"}) {
            auto route = std::find_if(routes_.begin(), routes_.end(),
                                      [&](const Route& each) { return each.name == name; });
            if (route == routes_.end() || route->name.find(options_.only) == std::string::npos)
                continue;
            if (Outcome bare = stage.attempt(*route, free_, route->capabilities()); !bare.arrived) {
                tally_.skip(route->name + " from a child cgroup",
                            "did not get through unjailed (" + said(bare) + ")");
                continue;
            }
            uint64_t before = denials(jails_->own.directory.get());
            Outcome jailed = stage.attempt(*route, child, route->capabilities());
            bool counted = denials(jails_->own.directory.get()) > before;
            tally_.check(route->name + " from a child cgroup",
                         closed(jailed, !jailed.arrived && !jailed.packet, counted, true));
        }
    }

    // What `refused` rests on: a container that holds the means does not start, and nothing stays
    // attached.
    void refusals() {
        for (const auto& [means, shared] : means_) {
            Cgroup cgroup = workplace_.make_cgroup("refused-" + means + (shared ? "-shared" : ""));
            int network = shared ? lab_.host() : lab_.container();
            std::string named = "descriptor", holder = "a container that is handed a socket";
            HookResult result;
            if (means == "socket") {
                jail_ai::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
                result = run_hook(workplace_, lab_, options_.hook, cgroup, network, {}, {},
                                  socket.get());
            } else {
                named = "CAP_" + means;
                std::transform(named.begin(), named.end(), named.begin(), [](unsigned char letter) {
                    return static_cast<char>(std::toupper(letter));
                });
                holder = "a container with " + named;
                result = run_hook(workplace_, lab_, options_.hook, cgroup, network, {}, {named});
            }
            unsigned attached = attached_programs(cgroup.directory.get());
            std::string why;
            if (result.exit_code != EX_CONFIG)
                why = "exit status " + std::to_string(result.exit_code) + ": " + result.message;
            else if (result.message.find(named) == std::string::npos)
                why = "refused for another reason: " + result.message;
            if (attached != 0) why += " (" + std::to_string(attached) + " programs attached)";
            tally_.check(holder + (shared ? " in the host's network" : "") + " is refused", why);
        }
    }

    const Options& options_;
    const Workplace& workplace_;
    Lab& lab_;
    Tally& tally_;
    Cgroup free_;
    Table table_;
    std::vector<Route> routes_;
    std::optional<EarlierSockets> earlier_;  // of free_
    std::optional<Jails> jails_;
    std::set<std::pair<std::string, bool>> means_;  // and whether in the host's network
    unsigned unproved_ = 0;
};

}  // namespace

void run_rows(const Options& options, const Workplace& workplace, Lab& lab, Tally& tally) {
    Rows(options, workplace, lab, tally).run();
}

}  // namespace escape
