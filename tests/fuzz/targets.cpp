// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// libFuzzer targets: everything that parses what strangers wrote. One executable a target;
// FUZZ_TARGET says which. Beside what the sanitizers find, each checks what must hold for any
// input.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/ip_prefix.h"
#include "base/quote.h"
#include "broker/protocol.h"
#include "container/bundle.h"
#include "container/cgroup_path.h"
#include "container/container_id.h"
#include "container/flags.h"
#include "container/json.h"
#include "container/json_part.h"
#include "container/settings.h"
#include "container/state.h"
#include "engines/podman_network.h"
#include "engines/runtime_arguments.h"
#include "engines/runtime_state.h"
#include "packet_bytes.h"
#include "policy/policy.h"
#include "seccomp/open_sockets.h"
#include "seccomp/tighten.h"
#include "system/container_addresses.h"
#include "system/gateways.h"
#include "system/name_files.h"
#include "verify/facts.h"

namespace {

using namespace jail_ai;

void must(bool holds) {
    if (!holds) std::abort();
}

// A message is one printable line.
void check(const Error& error) {
    must(!error.message.empty() && error.exit_code != 0);
    for (const char c : error.message) must(static_cast<unsigned char>(c) >= 0x20);
}

[[maybe_unused]] void fuzz_state(std::string_view text) {
    const auto state = parse_state(text);
    if (!state) return check(state.error());
    must(state->pid >= 1 && state->pid <= kMaxPid && !state->id.empty() &&
         state->bundle.starts_with('/'));
    const auto asked = parse_annotations(state->annotations);
    if (!asked) return check(asked.error());
    const auto request = join_settings({}, *asked);
    if (!request) check(request.error());
}

// What users' runtimes leave for verify.
[[maybe_unused]] void fuzz_running(std::string_view text) {
    for (const auto parse : {parse_crun_status, parse_runc_state}) {
        const auto state = parse(text);
        if (!state)
            check(state.error());
        else
            must(state->pid >= 1 && state->pid <= kMaxPid);
    }
    const auto asks = requested_mode(text);
    if (!asks) check(asks.error());
    static_cast<void>(start_time(text));
    if (const auto monitored = monitored_by(text))
        must(is_container_id(monitored->name) && monitored->name.size() <= kMaxName);
    must(!is_container_id(text) || shown_id(text).size() <= text.size());
}

[[maybe_unused]] void fuzz_bundle(std::string_view text) {
    const auto config = parse_json_object(text);
    if (!config) return check(config.error());
    const auto bundle = parse_bundle(*config);
    if (!bundle) check(bundle.error());
    static_cast<void>(find_reachable_families(*config));
}

[[maybe_unused]] void fuzz_tighten(std::string_view text) {
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

[[maybe_unused]] void fuzz_cgroup(std::string_view text) {
    const std::size_t middle = text.find('\xff');
    const auto path = parse_cgroup_path(text.substr(0, middle));
    if (!path) return check(path.error());
    must(path->starts_with('/'));
    const auto place = place_cgroup(
        text.substr(middle == std::string_view::npos ? text.size() : middle + 1), *path);
    if (!place) return check(place.error());
    must(!place->path.empty() && !place->path.starts_with('/') && place->path != ".." &&
         !place->path.starts_with("../") && place->path.find("/../") == std::string::npos &&
         !place->path.ends_with("/.."));
}

[[maybe_unused]] void fuzz_names(std::string_view text) {
    for (const IpPrefix& address : host_addresses(text)) must(address.is_single());
    for (const IpPrefix& address : name_servers(text)) must(address.is_single());
    for (const IpPrefix& address : default_gateways_v4(text)) must(address.is_single());
    for (const IpPrefix& address : default_gateways_v6(text)) must(address.is_single());
    for (const IpPrefix& address : container_addresses_v4(text)) must(address.is_single());
    for (const IpPrefix& address : container_addresses_v6(text)) must(address.is_single());
    if (const auto network = parse_podman_network(text))
        for (const IpPrefix& gateway : network->gateways) must(gateway.is_single());
    if (const auto prefix = IpPrefix::parse(text))
        must(IpPrefix::parse(prefix->to_string()) == *prefix);
}

// The first byte names the setting.
[[maybe_unused]] void fuzz_settings(std::string_view text) {
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
[[maybe_unused]] void fuzz_protocol(std::string_view text) {
    const auto answer = parse_reply(text);
    if (!answer)
        check(answer.error());
    else
        must((answer->status == ReplyStatus::yes) == (answer->exit_code == 0) &&
             parse_reply(encode_reply(*answer))->text.size() <= answer->text.size());
    const auto sizes = parse_header(text.substr(0, kHeaderBytes));
    if (!sizes) return check(sizes.error());
    const auto message = parse_body(*sizes, text.substr(kHeaderBytes));
    if (!message) return check(message.error());
    const auto again = encode_message(*message);
    must(again && *again == text);
    const auto defaults = parse_flags(message->flags);
    if (!defaults) return check(defaults.error());
    must(!defaults->enforced || defaults->settings.mode);
}

[[maybe_unused]] void fuzz_arguments(std::string_view text) {
    const std::size_t middle = text.find('\xff');
    must(descriptors_left_by_crun(
             text.substr(0, middle),
             text.substr(middle == std::string_view::npos ? text.size() : middle + 1)) >= 0);
}

// A packet, as of either family. What is said of it rests on its headers alone: what is behind them
// changes nothing.
[[maybe_unused]] void fuzz_packet(std::string_view text) {
    for (const std::uint16_t family : {std::uint16_t{ETH_P_IP}, std::uint16_t{ETH_P_IPV6}}) {
        test::Bytes bytes(text.begin(), text.end());
        const jail_packet packet = test::parse(bytes, family);
        must(packet.parse_status <= JAIL_PARSE_SOURCE_ROUTED);
        if (packet.parse_status != JAIL_PARSE_OK) continue;
        must(packet.upper_layer >= (family == ETH_P_IP ? 20U : 40U) &&
             packet.source.prefix_bits == 128 && packet.destination.prefix_bits == 128);
        bytes.resize(packet.upper_layer + 1);
        const jail_packet cut = test::parse(bytes, family);
        must(std::memcmp(&cut, &packet, sizeof cut) == 0);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    FUZZ_TARGET(text);
    must(quote(text).size() >= 2);
    return 0;
}
