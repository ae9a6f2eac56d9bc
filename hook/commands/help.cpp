// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The manual pages (docs/) name the same verbs and flags, which tests/lint compares.
#include "commands/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/quote.h"

namespace jail_ai {
namespace {

constexpr std::string_view kSettings =
    "\n"
    "Settings, which a container's annotations complete (jail-ai-hook(5) has the grammar):\n"
    "  --block-host=true|audit|false  block the host; count what would be blocked; do nothing\n"
    "  --allow=LIST                   ports that pass: host:11434 10.88.0.1:5432-5433 [fd00::1]:53/udp\n"
    "  --also=LIST                    more to block: addresses, prefixes, private, link-local, gateway\n"
    "  --dns=auto|off                 DNS at the container's resolvers, blocked as they may be; or not\n"
    "  --on-failure=refuse|run        what can't be protected doesn't start, or starts unprotected\n"
    "  --accept=LIST                  risks taken by name: cap_net_raw, host-pid …\n"
    "  --enforce                      annotations may tighten all this, never loosen it\n";

constexpr auto kHelps = std::to_array<VerbHelp>({
    {"createRuntime", "called by podman, crun, runc or CRI-O: keeps the container from the host", CalledBy::machines, true,
     "usage: jail-ai-hook createRuntime [SETTING]…\n"
     "\n"
     "Reads the container's state (OCI runtime-spec) from standard input and keeps the container from the\n"
     "machine that it runs on. A failure refuses the container; it is told on stderr and in syslog.\n"
     "\n"
     "  --broker=PATH                  where rootless engines find the broker: /run/jail-ai-hook.sock\n"},
    {"precreate", "called by podman before that: takes from config.json what would lead past the block", CalledBy::machines, true,
     "usage: jail-ai-hook precreate [SETTING]…\n"
     "\n"
     "Reads the proposed config.json from standard input and writes it to standard output, on a kernel\n"
     "without BPF LSM with less in it: no CAP_NET_RAW, no socket families that the block can't judge.\n"},
    {"broker", "started by systemd for each request of a rootless engine: jails its container", CalledBy::machines, true,
     "usage: jail-ai-hook broker [SETTING]…\n"
     "\n"
     "Answers one request on the Unix socket that is its standard input: jail-ai-hook.socket starts it.\n"
     "Its settings hold for the containers of every user; with --enforce those can't loosen them.\n"
     "\n"
     "  --max-jails=N                  how many jails a user may have: 256\n"},
    {"explain", "says what would become of a destination, and why; or the whole policy", CalledBy::people, true,
     "usage: jail-ai-hook explain [ADDRESS[:PORT][/tcp|/udp]] [FLAG | SETTING]…\n"
     "\n"
     "Without an address the whole policy, as a table.\n"
     "\n"
     "  --container ID                 of a container that runs: ID, the beginning of it, or name\n"
     "  --pid PID                      of what that process is in\n"
     "  --annotation KEY=VALUE         as if the container had that annotation, too\n"
     "  --json                         for machines\n"},
    {"status", "every jail on this machine: what was refused, how often, and when last", CalledBy::people, false,
     "usage: jail-ai-hook status [--json | --prometheus] [CONTAINER]…\n"
     "\n"
     "As root. CONTAINER is an ID, the beginning of one, or a name.\n"
     "\n"
     "  --json        for machines, with everything that is remembered\n"
     "  --prometheus  counters for node_exporter's textfile collector\n"},
    {"log", "what was refused, one line each; with --follow as it happens", CalledBy::people, false,
     "usage: jail-ai-hook log [--follow] [--json] [CONTAINER]…\n"
     "\n"
     "As root. The last different refusals that the kernel remembers of each jail, the newest last.\n"
     "CONTAINER is an ID, the beginning of one, or a name.\n"
     "\n"
     "  --follow  each refusal as it happens, of all jails and those that start later, until a signal;\n"
     "            one process of a machine at a time\n"
     "  --json    one object a line\n"},
    {"refresh", "brings the rules of jails up to the addresses that the host has now", CalledBy::people, false,
     "usage: jail-ai-hook refresh [--dry-run] [--json] [CONTAINER]…\n"
     "\n"
     "As root. What is blocked before and after stays blocked meanwhile.\n"
     "CONTAINER is an ID, the beginning of one, or a name.\n"
     "\n"
     "  --dry-run  says what would change, and changes nothing\n"
     "  --json     for machines\n"},
    {"watch", "does that whenever the host's addresses change", CalledBy::people, false,
     "usage: jail-ai-hook watch [--log]\n"
     "\n"
     "As root, until a signal comes.\n"
     "\n"
     "  --log  also writes each refusal to syslog; 'log --follow' is taken then\n"},
    {"verify", "containers that ask for the block and lack it, jails that aren't as they should be", CalledBy::people, false,
     "usage: jail-ai-hook verify [--json] [CONTAINER]…\n"
     "\n"
     "As root. Ends with 0 where all is well, with 1 where something was found; jail-ai-hook-verify.timer\n"
     "does it regularly. CONTAINER is an ID, the beginning of one, or a name.\n"
     "\n"
     "  --json  for machines\n"},
    {"attach", "jails what no engine has called the hook for: a process, cgroup or container", CalledBy::people, true,
     "usage: jail-ai-hook attach (--pid PID | --cgroup PATH | --container ID) [SETTING]…\n"
     "\n"
     "As root. For engines without hooks, restored containers, services of systemd.\n"
     "\n"
     "  --pid PID                      the cgroup that the process is in\n"
     "  --cgroup PATH                  a directory of a cgroup2 file system\n"
     "  --container ID                 a container that runs: ID, the beginning of it, or name\n"},
    {"detach", "takes a jail away: its container reaches the host again", CalledBy::people, false,
     "usage: jail-ai-hook detach (--pid PID | --cgroup PATH | --container ID)\n"
     "\n"
     "As root. What its sockets send from then on passes.\n"
     "\n"
     "  --pid PID       the cgroup that the process is in\n"
     "  --cgroup PATH   a directory of a cgroup2 file system\n"
     "  --container ID  a container that runs: ID, the beginning of it, or name\n"},
    {"doctor", "says whether the block works here for whoever calls it, and what to do if not", CalledBy::people, false,
     "usage: jail-ai-hook doctor [--json]\n"
     "\n"
     "Ends with 0 where the block works for whoever calls it, and with 69 where it doesn't.\n"
     "\n"
     "  --json  for machines\n"},
});

const VerbHelp* find(std::string_view verb) {
    const auto* found = std::ranges::find(kHelps, verb, &VerbHelp::verb);
    return found == kHelps.end() ? nullptr : found;
}

}  // namespace

std::span<const VerbHelp> verb_helps() {
    return kHelps;
}

std::string help_of(const VerbHelp& help) {
    return fmt::format("{}{}", help.text, help.takes_settings ? kSettings : "");
}

std::string help(std::span<const std::string_view> verbs) {
    std::string text = "usage: jail-ai-hook VERB [ARGUMENT]…        jail-ai-hook VERB --help tells what it takes\n\n";
    for (const VerbHelp& each : kHelps)
        if (std::ranges::find(verbs, each.verb) != verbs.end()) text += fmt::format("  {:13}  {}\n", each.verb, each.summary);
    return text +
           "  --version      print the version\n"
           "  --help         print this\n"
           "\n"
           "A container asks to be kept from its host by the annotation jail-ai.block-host=true (audit: count;\n"
           "false), and fits it to its needs by jail-ai.block-host.allow, .also, .dns, .on-failure and .accept.\n"
           "Anything else under jail-ai. is refused, and so is a container that can't be protected.\n"
           "Manual: jail-ai-hook(8), and jail-ai-hook(5) for annotations and the JSON of engines.\n";
}

const VerbHelp* asked_help(std::string_view verb, std::span<char* const> words) {
    const VerbHelp* help = find(verb);
    if (help == nullptr || words.empty()) return nullptr;
    const auto asking = help->called_by == CalledBy::machines ? words.first(1) : words;
    return std::ranges::any_of(asking, [](std::string_view word) { return word == "--help"; }) ? help : nullptr;
}

std::string wrong_verb(std::string_view word, std::span<const std::string_view> verbs) {
    if (word.empty()) return fmt::format("no verb: jail-ai-hook {} | --version | --help", fmt::join(verbs, " | "));
    return fmt::format("unknown verb {}: jail-ai-hook --help lists the verbs", quote(word));
}

}  // namespace jail_ai
