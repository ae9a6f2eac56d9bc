// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/jail_by_broker.h"

#include <fmt/format.h>
#include <syslog.h>

#include "broker/client.h"
#include "commands/jail_container.h"
#include "engines/bundle_files.h"
#include "facts/container_facts.h"
#include "facts/network_facts.h"
#include "system/name_files.h"

namespace jail_ai {
namespace {

// Where mounts lead is seen from the engine's mount namespace alone. In which user namespace
// capabilities count is for the broker to say. So do the user's own settings, which the network
// that comes will have.
Result<CheckedRisks> check_here(const BundleFiles& files, const Process& process,
                                const UserNetwork& coming, const Request& request) {
    auto facts = TRY(read_mount_facts(process, files, Mounts::made));
    facts.forwards = coming.forwards;
    Bundle mounts = files.bundle;
    mounts.capabilities.clear();
    return check_risks(mounts, facts, request);
}

// A user's networks lie in the storage that also has the bundle: STORAGE/networks and
// STORAGE/DRIVER-containers/ID/userdata (podman-network(1)). The broker opens no path of a user's,
// so that the hook looks there, and says what podman is going to write.
Status foresee(NameFiles& names, const Process& process, const std::string& bundle) {
    auto resolvers = TRY(predict_resolvers(process, bundle + "/../../../networks"));
    for (const IpPrefix& resolver : resolvers)
        names.resolv_conf += fmt::format("nameserver {}\n", resolver.to_string());
    return ok();
}

Result<Message> write_message(const BundleFiles& files, const Process& process,
                              const ContainerState& state, std::string state_text,
                              const Arguments& arguments) {
    auto names = TRY(files.read_name_files());
    if (names.resolv_conf_is_deferred) TRY(foresee(names, process, state.bundle));
    return Message{arguments.flags, std::move(state_text), files.config.text(),
                   std::move(names.hosts), std::move(names.resolv_conf)};
}

std::string broker_path(const Arguments& arguments) {
    const std::string* path = arguments.value(kBrokerOption);
    return path == nullptr ? kBrokerSocket : *path;
}

}  // namespace

BrokerOutcome jail_by_broker(const ContainerState& state, std::string state_text,
                             const Request& request, const Arguments& arguments) {
    auto process = Process::open(state.pid);
    if (!process) return {std::move(process).error(), false};
    auto files = BundleFiles::open(state.bundle);
    if (!files) return {std::move(files).error(), false};
    auto coming = predict_user_network(*process);
    if (!coming) return {std::move(coming).error(), false};
    auto checked = check_here(*files, *process, *coming, request);
    if (!checked) return {std::move(checked).error(), false};
    auto message = write_message(*files, *process, state, std::move(state_text), arguments);
    if (!message) return {std::move(message).error(), false};
    for (const IpPrefix& address : coming->mapped)
        message->hosts += fmt::format("\n{} {}", address.to_string(), kHostName);
    auto answer = ask_broker(broker_path(arguments), *process, *message);
    if (!answer) return {std::move(answer).error(), false};
    if (answer->status != ReplyStatus::yes)
        return {Error{answer->exit_code, "the broker rejects: " + answer->text},
                answer->status == ReplyStatus::never};
    checked->lines.push_back({LOG_INFO, "by the broker: " + answer->text});
    return {std::move(checked->lines), false};
}

}  // namespace jail_ai
