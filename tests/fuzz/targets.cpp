// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is fuzzed: everything that parses what strangers wrote, and what the kernel says. Beside
// what the sanitizers find, each function checks what must hold for any input.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_prefix.h"
#include "broker/protocol.h"
#include "container/asking.h"
#include "container/bundle.h"
#include "container/cgroup_path.h"
#include "container/config.h"
#include "container/container_id.h"
#include "container/flags.h"
#include "container/hook_entry.h"
#include "container/json.h"
#include "container/json_part.h"
#include "container/mountinfo.h"
#include "container/notice.h"
#include "container/settings.h"
#include "container/settings_file.h"
#include "container/state.h"
#include "doctor/listening.h"
#include "engines/annotation_authors.h"
#include "engines/containers_conf.h"
#include "engines/hooks_dirs.h"
#include "engines/podman_network.h"
#include "engines/runtime_arguments.h"
#include "engines/runtime_call.h"
#include "engines/runtime_state.h"
#include "engines/user_network.h"
#include "engines/userspace_network_stack.h"
#include "input.h"
#include "jail/metadata.h"
#include "packet_bytes.h"
#include "policy/inputs.h"
#include "policy/policy.h"
#include "seccomp/open_sockets.h"
#include "seccomp/tighten.h"
#include "system/blinding_hierarchy.h"
#include "system/container_addresses.h"
#include "system/gateways.h"
#include "system/name_files.h"
#include "system/process_status.h"
#include "system/route_messages.h"
#include "verify/facts.h"

namespace jail_ai::test {

void fuzz_state(std::string_view text) {
    const auto json = parse_json_object(text);
    must(!json || !asks_something(*json) || may_ask(text));
    const auto state = parse_state(text);
    if (!state) return check(state.error());
    must(state->pid >= 1 && state->pid <= kMaxPid && !state->id.empty() &&
         state->bundle.starts_with('/'));
    must(!asks_something(state->annotations) || asks_something(*json));
    const auto asked = parse_annotations(state->annotations);
    if (!asked) return check(asked.error());
    const auto request = join_settings({}, *asked);
    if (!request) check(request.error());
}

// What users' runtimes leave for verify.
void fuzz_running(std::string_view text) {
    for (const auto parse : {parse_crun_status, parse_runc_state}) {
        const auto state = parse(text);
        if (!state)
            check(state.error());
        else
            must(state->pid >= 1 && state->pid <= kMaxPid);
    }
    if (auto document = parse_json_object(text))
        if (const auto annotations = read_annotations(*document))
            static_cast<void>(requested_mode(*annotations, {}));
    static_cast<void>(start_time(text));
    if (const auto monitored = monitored_by(text))
        must(is_container_id(monitored->name) && monitored->name.size() <= kMaxName);
    must(!is_container_id(text) || shown_id(text).size() <= text.size());
}

void fuzz_bundle(std::string_view text) {
    const auto config = parse_json_object(text);
    if (!config) return check(config.error());
    const auto bundle = parse_bundle(*config);
    if (!bundle) check(bundle.error());
    static_cast<void>(find_reachable_families(*config));
}

void fuzz_tighten(std::string_view text) {
    const auto config = parse_json_object(text);
    if (!config || !check_unambiguous(*config)) return;
    const auto once = tighten(*config, text, {});
    if (!once) return check(once.error());
    const auto changed = parse_json_object(once->config);
    must(static_cast<bool>(changed) && static_cast<bool>(check_unambiguous(*changed)));
    const auto twice = tighten(*changed, once->config, {});
    must(twice && twice->config == once->config);
    const auto accepted = tighten(*config, text, {Risk::cap_net_raw, Risk::vsock});
    must(accepted && accepted->config == text);
}

void fuzz_cgroup(std::string_view text) {
    const auto [cgroup, mountinfo] = halves(text);
    const auto path = parse_cgroup_path(cgroup);
    if (!path) return check(path.error());
    must(path->starts_with('/'));
    const auto place = place_cgroup(mountinfo, *path);
    if (!place) return check(place.error());
    must(!place->path.empty() && !place->path.starts_with('/') && place->path != ".." &&
         !place->path.starts_with("../") && place->path.find("/../") == std::string::npos &&
         !place->path.ends_with("/.."));
}

void fuzz_names(std::string_view text) {
    for (const IpPrefix& address : host_addresses(text)) must(address.is_single());
    for (const IpPrefix& address : name_servers(text)) must(address.is_single());
    for (const IpPrefix& address : default_gateways_v4(text)) must(address.is_single());
    for (const IpPrefix& address : default_gateways_v6(text)) must(address.is_single());
    for (const IpPrefix& address : container_addresses_v4(text)) must(address.is_single());
    for (const IpPrefix& address : container_addresses_v6(text)) must(address.is_single());
    if (const auto prefix = IpPrefix::parse(text))
        must(IpPrefix::parse(prefix->to_string()) == *prefix);
}

// The first byte names the setting.
void fuzz_settings(std::string_view text) {
    static const std::vector<SettingWords> every = setting_words();
    if (text.empty()) return;
    const std::string key =
        annotation_key(every[static_cast<unsigned char>(text.front()) % every.size()].name);
    const auto settings = parse_settings({{key, std::string(text.substr(1))}});
    if (!settings) return check(settings.error());
    for (const AllowRule& exception : settings->allow)
        must(exception.first >= 1 && exception.first <= exception.last && exception.protocols != 0);
    const auto policy = compile_policy(
        {Mode::enforce, Dns::automatic, OnFailure::refuse, settings->allow, settings->also, {}},
        {});
    if (!policy) return check(policy.error());
    must(policy->rules.size() <= JAIL_MAX_RULES);
}

// A request as it comes over the wire, and the same bytes as an answer.
void fuzz_protocol(std::string_view text) {
    const auto answer = parse_reply(text);
    if (!answer)
        check(answer.error());
    else
        must((answer->status == ReplyStatus::yes) == (answer->exit_code == 0) &&
             parse_reply(encode_reply(*answer))->text.size() <= answer->text.size());
    if (const auto shown = parse_shown(text); shown)
        must(encode_shown(*shown).size() <= text.size());
    else
        check(shown.error());
    const auto head = parse_header(text.substr(0, kHeaderBytes));
    if (!head) return check(head.error());
    if (head->asks == Asks::to_show) {
        const auto request = parse_show(head->sizes, text.substr(kHeaderBytes));
        if (!request) return check(request.error());
        const auto again = encode_show(*request);
        must(again && *again == text);
        return;
    }
    const auto message = parse_body(head->sizes, text.substr(kHeaderBytes));
    if (!message) return check(message.error());
    const auto again = encode_message(*message);
    must(again && *again == text);
    const auto defaults = parse_flags(message->flags);
    if (!defaults) return check(defaults.error());
    must(!defaults->enforced || defaults->settings.mode);
}

void fuzz_arguments(std::string_view text) {
    const auto [command_line, environment] = halves(text);
    must(descriptors_left_by_crun(command_line, environment) >= 0);
}

// A packet, as of either family. What is said of it rests on its headers alone: what is behind them
// changes nothing.
void fuzz_packet(std::string_view text) {
    for (const std::uint16_t family : {std::uint16_t{ETH_P_IP}, std::uint16_t{ETH_P_IPV6}}) {
        Bytes bytes(text.begin(), text.end());
        const jail_packet packet = parse(bytes, family);
        must(packet.parse_status <= JAIL_PARSE_SOURCE_ROUTED);
        if (packet.parse_status != JAIL_PARSE_OK) continue;
        must(packet.upper_layer >= (family == ETH_P_IP ? 20U : 40U));
        bytes.resize(packet.upper_layer + 1);
        const jail_packet cut = parse(bytes, family);
        must(std::memcmp(&cut, &packet, sizeof cut) == 0);
    }
}

void fuzz_podman(std::string_view text) {
    for (const IpPrefix& address : addresses_in(text)) must(address.is_single());
    const auto network = parse_podman_network(text);
    if (!network) return check(network.error());
    for (const IpPrefix& gateway : network->gateways) must(gateway.is_single());
}

// One datagram of a dump of routes, or of addresses.
void fuzz_netlink(std::string_view text) {
    const std::vector<char> bytes = copied(text);
    const std::size_t most = bytes.size() / sizeof(nlmsghdr);
    std::size_t replies = 0;
    bool consistent = true;
    const auto add = [&](const DeliveredPrefix& local) {
        must(IpPrefix::parse(local.prefix.to_string()) == local.prefix);
    };
    const auto ends = [&] {
        const auto end =
            read_replies<rtmsg>(bytes, consistent, [&](const rtmsg& route, const Attributes& has) {
                ++replies;
                if (const auto local = read_route(route, has)) add(*local);
            });
        return end && !end->consistent;
    }();
    must(replies <= most && (!ends || !consistent));
    read_replies<ifaddrmsg>(bytes, consistent,
                            [&](const ifaddrmsg& message, const Attributes& has) {
                                const auto found = read_interface_addresses(message, has);
                                must(found.size() <= 2);
                                for (const DeliveredPrefix& local : found) add(local);
                            });
}

// What a jail keeps of its policy, and the value that it is kept in.
void fuzz_inputs(std::string_view text) {
    if (const auto metadata = parse_metadata(copied(text)))
        must(metadata->container.size() < JAIL_ID_SIZE && metadata->inputs.size() < text.size());
    const auto inputs = read_inputs(text);
    if (!inputs) return check(inputs.error());
    const auto written = write_inputs(*inputs);
    if (!written) return check(written.error());
    const auto again = read_inputs(*written);
    must(static_cast<bool>(again));
    const auto twice = write_inputs(*again);
    must(twice && *twice == *written);
}

void fuzz_hooks(std::string_view text) {
    const auto hook = parse_hook_json(text);
    if (!hook) return check(hook.error());
    const CalledFor whom = called_for(hook->when);
    must(hook->when.is_known || whom == CalledFor::unknown);
}

void fuzz_toml(std::string_view text) {
    if (const auto settings = parse_settings_file(text); !settings) check(settings.error());
    const auto conf = parse_containers_conf(text);
    if (!conf) return check(conf.error());
    std::vector<std::string> values = {"one"};
    for (const auto& list : {conf->hooks_dir, conf->network_cmd_options, conf->pasta_options}) {
        take_list(list, values);
        if (list) must(values.size() >= list->values.size());
    }
}

// Mounts, and those from before.
void fuzz_mounts(std::string_view text) {
    const auto [now, before] = halves(text);
    const auto all = parse_mountinfo(now);
    const auto among_all = [&](const MountEntry& mount) { return std::ranges::count(all, mount); };
    for (const MountEntry& mount : all)
        for (const MountEntry& seen : visible_mounts(all, mount.mount_point))
            must(among_all(seen) > 0 &&
                 is_at_or_below(seen.mount_point, "/") == seen.mount_point.starts_with('/'));
    const auto added = added_mounts(all, parse_mountinfo(before));
    must(added.size() <= all.size() && added_mounts(all, all).empty());
    for (const MountEntry& mount : added) must(among_all(mount) > 0);
    for (const MountEntry& mount : all)
        must(!path_of_part(all, mount.device, mount.root).empty() || mount.root.empty());
    for (const std::string& point : find_cgroup_mounts(now)) must(point.size() <= now.size());
}

// Files of /proc that aren't about networks.
void fuzz_process(std::string_view text) {
    const auto [first, second] = halves(text);
    for (const std::string_view field : {"\nPid:\t", "\nPPid:\t"}) {
        const auto number = number_after(first, field);
        must(!number || first.find(field) != std::string_view::npos);
    }
    must(is_first_of_pid_namespace(first).has_value() ==
         (first.find("\nNSpid:") != std::string_view::npos));
    static_cast<void>(start_time(first));
    constexpr std::string_view kPath = "/run/jail-ai-hook.sock";
    must(!is_listened_at(first, kPath) || first.find(kPath) != std::string_view::npos);
    must(blinding_hierarchy(first, second).size() < 10);
}

// Command lines of programs that carry a network.
void fuzz_networks(std::string_view text) {
    const auto [first, second] = halves(text);
    for (const UserNetwork& network :
         {read_helper(NetworkHelper::slirp4netns, first), read_helper(NetworkHelper::pasta, first),
          read_helper(helper_named(second), first), read_podman(first)}) {
        for (const IpPrefix& address : network.mapped)
            must(IpPrefix::parse(address.to_string()) == address);
        must(network.forwards.size() <= text.size() + 4);
    }
    static_cast<void>(carries(first, second));
    static_cast<void>(userspace_network_stack(first, second));
}

// What engines keep of images.
void fuzz_images(std::string_view text) {
    const auto [first, second] = halves(text);
    if (const auto pairs = parse_manifest_annotations(first)) {
        Annotations annotations(pairs->begin(), pairs->end());
        const auto had = annotations.size();
        ignore_image_annotations(annotations, *pairs);
        must(annotations.size() <= had);
    } else {
        check(pairs.error());
    }
    const auto image = find_image_id(first, second);
    if (!image)
        check(image.error());
    else if (*image)
        must((*image)->find('/') == std::string::npos && **image != ".." && **image != ".");
    const auto may = may_have_image_annotations(first);
    if (!may) check(may.error());
    static_cast<void>(is_manifest_name(first));
}

// What an engine calls a runtime with, a word at a time, each ended by 0xff.
void fuzz_call(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = text.find('\xff');
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    const RuntimeCall call = parse_runtime_call(words);
    must(call.start.empty() || call.start.front() == "create" || call.start.front() == "run" ||
         call.start.front() == "restore");
    if (call.start.empty()) return;
    const auto place = find_bundle(call.start);
    if (!place) return check(place.error());
    must(!place->directory.empty() && !place->config.empty());
    for (const bool is_json : {false, true}) {
        const std::string line = log_line({.path = "", .is_json = is_json}, place->directory, "");
        must(line.find('\n') == line.size() - 1);
        must(!is_json || parse_json_object(line));
    }
}

// What is added to a config.json is read again, and is there once.
template <typename Add>
void fuzz_addition(std::string_view text, const Add& add) {
    const auto config = Config::parse(std::string(text));
    if (!config || !check_unambiguous(config->json())) return;
    const auto once = add(*config);
    if (!once) return check(once.error());
    const auto changed = Config::parse(*once);
    must(changed && check_unambiguous(changed->json()));
    const auto twice = add(*changed);
    must(twice && *twice == *once);
}

void fuzz_entry(std::string_view text) {
    fuzz_addition(text, [](const Config& config) {
        return add_create_runtime_hook(config, {"/usr/bin/jail-ai-hook", {"jail-ai-hook", "-x"}});
    });
}

void fuzz_notice(std::string_view text) {
    const auto asked = parse_annotations({{std::string(kBlockHost), "true"}});
    must(static_cast<bool>(asked));
    const auto request = join_settings({}, *asked);
    must(static_cast<bool>(request));
    for (const std::string_view file : {"", "/usr/share/jail-ai-hook/notice.md"})
        for (const RootFiles root : {RootFiles::writable, RootFiles::read_only})
            fuzz_addition(text, [&](const Config& config) {
                return add_notice(config.json(), config.text(), *request, file, root);
            });
}

}  // namespace jail_ai::test
