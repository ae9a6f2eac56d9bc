// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Theory of operation. A rootless engine's hook runs in a user namespace, and the kernel loads no
// BPF programs from one. Any user may talk to this process, which has the privilege; so each thing
// that a client says is a claim, and is proved or has no effect:
//
//   who asks         the kernel says (SO_PEERCRED), not the message
//   for what         a pidfd says, not the number in the state; it must be in a user namespace that
//                    the peer made, and in a cgroup that was given to the peer
//                    (broker/authorisation.h), alone. So the peer could kill and trace it already:
//                    a jail is the least it can do to it
//   what may happen  only that programs are attached to that cgroup. No message detaches or
//                    replaces a jail. A program that is attached beside others can only deny more
//                    (BPF_F_ALLOW_MULTI, bpf/jail.bpf.c); so a cgroup that has a jail is denied a
//                    second, rather than compared
//   what is shown    the jails of cgroups that were given to the peer, by the verbs status, log and
//                    suggest, unless the peer is jailed itself. Which names belong to IDs the
//                    peer claims, and reads again
//   the files        config.json, hosts and resolv.conf come as bytes. The broker opens no path
//                    that a user could have a say in: no link, fifo or endless file of theirs can
//                    be turned against it. Who lies about them makes a container of their own less
//                    tight, as they could by leaving the hook out
//   how much         every part is bounded before it is read, memory is taken as bytes come, a
//                    timer kills the process, a person has four processes at a time
//                    (broker/listener.h) and --max-jails jails
//
// A jailed agent that reaches the socket (its container's root has the user's uid) is rejected as
// such; were it not, it could have done to its own child cgroups what makes them tighter. It can't
// name the user's other containers: its PID namespace doesn't show them.
//
// The proof is made before a byte of the request's parts is read, and again when everything is
// attached. What is attached stays only once the answer has been sent; until then it is marked
// (jail/pending.h), so that a second request can begin anew where this process has been killed.
//
// There are two kinds of this process: one that listens, and those that it starts, each with a
// connection for its standard input, for one request (broker/listener.h).
#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <utility>

#include "base/deadline.h"
#include "base/number.h"
#include "base/quote.h"
#include "broker/connection.h"
#include "broker/listener.h"
#include "broker/target.h"
#include "broker/turn.h"
#include "commands/arguments.h"
#include "commands/jail_container.h"
#include "commands/jail_view.h"
#include "commands/verbs.h"
#include "container/container_id.h"
#include "container/flags.h"
#include "container/state.h"
#include "engines/container_name_files.h"
#include "engines/network_stack.h"
#include "facts/container.h"
#include "sandbox/sandbox.h"

namespace jail_ai {
namespace {

constexpr std::string_view kMaxJails = "--max-jails";
constexpr std::size_t kDefaultMaxJails = 256;
constexpr std::string_view kIdle = "--idle";
constexpr unsigned kDefaultIdleSeconds = 60;
constexpr unsigned kMostIdleSeconds = 24 * 60 * 60;

template <typename Number>
Result<Number> number_of(const Arguments& arguments, std::string_view option, Number otherwise,
                         std::string_view what) {
    const std::string* text = arguments.value(option);
    if (text == nullptr) return otherwise;
    const auto number = parse_number<Number>(*text);
    if (!number)
        return Error{EX_USAGE, fmt::format("{} {} is not a {}", option, quote(*text), what)};
    return *number;
}

Result<std::size_t> max_jails(const Arguments& arguments) {
    return number_of(arguments, kMaxJails, kDefaultMaxJails, "number of jails");
}

Result<unsigned> idle_seconds(const Arguments& arguments) {
    auto seconds = TRY(number_of(arguments, kIdle, kDefaultIdleSeconds, "number of seconds"));
    if (seconds == 0 || seconds > kMostIdleSeconds)
        return Error{EX_USAGE, fmt::format("{} {}: expected 1 to {} seconds", kIdle, seconds,
                                           kMostIdleSeconds)};
    return seconds;
}

// As this process was called.
std::vector<std::string> command_line(const Arguments& arguments) {
    std::vector<std::string> words = words_of(kBroker, arguments);
    words.insert(words.begin(), "jail-ai-hook");
    return words;
}

// The unit's settings, then the flags that the hook was called with, then the annotations: each
// within what the one before enforces.
Result<Request> join_all(const Defaults& floor, const std::vector<std::string>& flags,
                         const Annotations& annotations) {
    auto asked = TRY(parse_flags(flags).context("the hook's flags"));
    auto defaults = TRY(join_defaults(floor, asked));
    auto settings = TRY(parse_annotations(annotations));
    return join_settings(defaults, settings);
}

Result<Container> container_of(ProvedTarget target, const ContainerState& state, Message message,
                               const Peer& peer) {
    auto config = TRY(Config::parse(std::move(message.config)).context("config.json"));
    auto bundle = TRY(parse_bundle(config.json()).context("config.json"));
    auto names = name_files(bundle, std::move(message.hosts), std::move(message.resolv_conf));
    const bool shares_network = TRY(target.process.shares_namespace("net"));
    BundleFiles files{std::move(config), std::move(bundle), {}};
    return Container{state.id,         std::move(target.process), std::move(target.cgroup),
                     std::move(files), std::move(names),          shares_network,
                     runtime_of(peer), Mounts::elsewhere};
}

// One request, from its header to its answer.
class Service {
public:
    Service(const Connection& connection, const Arguments& arguments, const Turns& turns,
            std::size_t most_jails)
        : connection_(connection),
          arguments_(arguments),
          turns_(turns),
          most_jails_(most_jails),
          who_(fmt::format("uid {}", connection.peer().uid)) {}

    LogLines run() {
        auto done = serve();
        if (!done) return reject(std::move(done).error());
        for (LogLine& line : *done) line.text.insert(0, who_ + ": ");
        return std::move(*done);
    }

    // A client that has gone gets no answer; then nothing is attached either.
    LogLines reject(Error error) const {
        if (deadline_passed())
            error = {EX_TEMPFAIL, fmt::format("{}: not done within {} s", error.message,
                                              kBrokerDeadlineSeconds)};
        const ReplyStatus status =
            arguments_.defaults.enforced ? ReplyStatus::never : ReplyStatus::no;
        const auto sent = connection_.answer({status, error.exit_code, error.message});
        return {{LOG_ERR, fmt::format("{}: {}{}", who_, error.message,
                                      sent ? "" : fmt::format(" ({})", sent.error().message))}};
    }

private:
    Result<LogLines> serve() {
        TRY(connection_.receive_header(header_));
        return header_.head.asks == Asks::to_show ? show() : jail_one();
    }

    // What a user has to see is not for the log, whatever comes of it.
    Result<LogLines> show() {
        auto text = text_of_own_jails();
        if (text)
            TRY(connection_.answer_with_text(*text));
        else
            TRY(connection_.answer(
                {ReplyStatus::no, text.error().exit_code, text.error().message}));
        return LogLines{};
    }

    Result<std::string> text_of_own_jails() {
        TRY(check_peer_is_free(connection_.peer()));
        const auto body = TRY(connection_.receive_body(header_.head.sizes));
        const auto request = TRY(parse_show(header_.head.sizes, body));
        return show_jails_of(connection_.peer().uid, request);
    }

    Result<Message> receive_message() {
        const auto body = TRY(connection_.receive_body(header_.head.sizes));
        return parse_body(header_.head.sizes, body);
    }

    Result<LogLines> jail_one() {
        auto target = TRY(
            prove_target(connection_.peer(), std::move(header_.descriptor), turns_, most_jails_));
        auto message = TRY(receive_message());
        auto state = TRY(parse_state(message.state).context("state of the container"));
        who_ += ": " + container_text(state.id);
        TRY(check_network_stack(target.process, state.annotations));
        auto request = TRY(join_all(arguments_.defaults, message.flags, state.annotations));
        if (request.mode == Mode::off)
            return Error{EX_DATAERR, "block-host=false: nothing for the broker to do"};
        const auto container =
            TRY(container_of(std::move(target), state, std::move(message), connection_.peer()));
        auto jailed = TRY(jail(container, request, Existing::reject));
        TRY(prove_again(connection_.peer(), container.process, container.cgroup));
        // A peer without the answer yes has no jail: the engine won't start that container.
        TRY(connection_.answer({ReplyStatus::yes, 0, jailed.lines.back().text}));
        jailed.attachment.keep();
        return std::move(jailed.lines);
    }

    const Connection& connection_;
    const Arguments& arguments_;
    const Turns& turns_;
    std::size_t most_jails_;
    std::string who_;  // for the log
    Header header_;    // holds what came beside the request until it is answered
};

// A request that was rejected has had its answer, and is not a failure of this process.
Result<Outcome> serve_one(const Arguments& arguments) {
    const auto most_jails = TRY(max_jails(arguments));
    const auto connection = TRY(Connection::on(STDIN_FILENO));
    const auto turns = TRY(Turns::open());
    Service service(connection, arguments, turns, most_jails);
    TRY(confine(Role::broker));
    return Outcome{{}, service.run()};  // reads the first byte of what the peer has sent
}

Result<Outcome> listen(const Arguments& arguments, const Caller& caller) {
    end_deadline();
    TRY(max_jails(arguments));
    const auto idle = TRY(idle_seconds(arguments));
    TRY(serve_connections(STDIN_FILENO, command_line(arguments), idle, [&](std::string line) {
        caller.report({LOG_WARNING, std::move(line)});
    }));
    return Outcome{};
}

Result<Outcome> serve(const Arguments& arguments, const Caller& caller) {
    const bool is_root = TRY(in_initial_user_namespace());
    if (!is_root)
        return Error{EX_NOPERM,
                     "the broker runs in a user namespace, and the kernel loads no BPF programs "
                     "from one"};
    const bool listens = TRY(is_listening(STDIN_FILENO));
    return listens ? listen(arguments, caller) : serve_one(arguments);
}

constexpr Option kOptions[] = {
    {kMaxJails, "NUMBER", "how many jails a user may have: 256"},
    {kIdle, "SECONDS", "how long it waits for the next request before it ends: 60"},
};

}  // namespace

const Verb kBroker{
    .name = "broker",
    .summary = "started by systemd for the requests of rootless engines: jails their containers",
    .about =
        "Answers requests at the Unix socket that is its standard input: jail-ai-hook.socket "
        "starts it.\n"
        "Its settings hold for the containers of every user; with --enforce those can't loosen "
        "them.",
    .called_by = CalledBy::systemd,
    .options = kOptions,
    .takes_settings = true,
    .deadline = kBrokerDeadlineSeconds,
    .run = serve,
};

}  // namespace jail_ai
