// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "base/quote.h"
#include "container/json_writer.h"
#include "policy/evaluate.h"
#include "policy/reason.h"

namespace jail_ai {
namespace {

std::vector<std::string> ports_of(const jail_rule& rule) {
    std::vector<std::string> texts;
    for (const jail_ports& ports : rule.ports) {
        if (ports.protocols == 0) continue;
        constexpr std::string_view kProtocols[] = {"", "tcp", "udp", "tcp+udp"};
        const std::string range = ports.first == ports.last
                                      ? fmt::format("{}", ports.first)
                                      : fmt::format("{}-{}", ports.first, ports.last);
        texts.push_back(fmt::format("{}/{}", range, kProtocols[ports.protocols & 3]));
    }
    return texts;
}

std::string describe(const jail_rule& rule) {
    const auto ports = ports_of(rule);
    return fmt::format("denied ({}){}{}", reason_name(rule.reason),
                       ports.empty() ? "" : fmt::format(", allowed {}", fmt::join(ports, " ")),
                       rule.container_local != 0 ? ", container-local" : "");
}

// "denied", "container-local", "counted" or "allowed".
std::string_view word_for(const Policy& policy, const Evaluation& evaluation) {
    if (!evaluation.denied || policy.mode == Mode::off) return "allowed";
    if (evaluation.is_container_local()) return "container-local";
    return policy.mode == Mode::audit ? "counted" : "denied";
}

// Where it isn't the usual one.
std::string error_text(DenialError error) {
    return error == DenialError::eperm ? std::string()
                                       : fmt::format(" with {}", name_of(kDenialErrors, error));
}

std::string describe_verdict(const Policy& policy, const Evaluation& evaluation) {
    if (policy.mode == Mode::off) return "allowed: block-host=false";
    if (evaluation.rule == nullptr) return "allowed: no rule matches";
    const std::string rule = fmt::format(
        "{}{}{}{}",
        evaluation.form ? fmt::format("{} inside of it, ", evaluation.form->to_string()) : "",
        evaluation.prefix->to_string(), evaluation.rule->source.empty() ? "" : ": ",
        evaluation.rule->source);
    const std::string_view word = word_for(policy, evaluation);
    if (word == "allowed") return fmt::format("allowed: a port of {}", rule);
    const std::string_view reason = reason_name(evaluation.reason);
    if (word == "counted")
        return fmt::format("allowed and counted ({}), as audit asks: {}", reason, rule);
    if (word == "denied")
        return fmt::format("denied{} ({}): {}", error_text(policy.denial_error), reason, rule);
    if (evaluation.rule->value.container_local == JAIL_CONTAINER_LOCAL_LOOPBACK)
        return fmt::format(
            "allowed over the container's own loopback, denied ({}) if it leaves by a device: {}",
            reason, rule);
    return fmt::format(
        "allowed while the container itself has the address, otherwise denied ({}): {}", reason,
        rule);
}

Evaluation check_asked(const Policy& policy, const AskedDestination& destination) {
    return evaluate(policy.rules, destination.address, destination.protocol, destination.port);
}

// Is it a loopback of the container's of which ports lead to the host's? Which ones the jail
// doesn't keep.
bool may_lead_to_host(const Explanation& explanation) {
    if (!explanation.destination || !explanation.jail || !explanation.jail->metadata) return false;
    const Rule* const rule = check_asked(explanation.policy, *explanation.destination).rule;
    return rule != nullptr && rule->value.container_local == JAIL_CONTAINER_LOCAL_LOOPBACK &&
           (explanation.jail->metadata->risks >> static_cast<unsigned>(Risk::host_loopback) & 1) !=
               0;
}

std::string table_of(const Rules& rules) {
    std::size_t width = std::string_view("DESTINATION").size(),
                ports_width = std::string_view("ALLOWED PORTS").size();
    for (const auto& [prefix, rule] : rules) {
        width = std::max(width, prefix.to_string().size());
        ports_width =
            std::max(ports_width, fmt::format("{}", fmt::join(ports_of(rule.value), " ")).size());
    }
    std::string text = fmt::format("{:{}}  {:12}  {:{}}  FROM\n", "DESTINATION", width, "DENIED AS",
                                   "ALLOWED PORTS", ports_width);
    for (const auto& [prefix, rule] : rules)
        text += fmt::format(
            "{:{}}  {:12}  {:{}}  {}\n", prefix.to_string(), width, reason_name(rule.value.reason),
            fmt::format("{}", fmt::join(ports_of(rule.value), " ")), ports_width, rule.source);
    return text;
}

void put_rule(JsonWriter& writer, const IpPrefix& prefix, const Rule& rule) {
    writer.StartObject();
    put(writer, "prefix", prefix.to_string());
    put(writer, "reason", reason_name(rule.value.reason));
    put_all(writer, "ports", ports_of(rule.value));
    writer.Key("container_local");
    writer.Bool(rule.value.container_local != 0);
    if (!rule.source.empty()) put(writer, "source", rule.source);
    writer.EndObject();
}

// The members of an object that say what a policy is, or what becomes of a destination by it.
void put_policy(JsonWriter& writer, const Policy& policy,
                const std::optional<AskedDestination>& destination) {
    put(writer, "mode", mode_name(policy.mode));
    put(writer, "errno", name_of(kDenialErrors, policy.denial_error));
    if (destination) {
        const Evaluation evaluation = check_asked(policy, *destination);
        put(writer, "verdict", word_for(policy, evaluation));
        if (evaluation.denied) put(writer, "reason", reason_name(evaluation.reason));
        if (evaluation.rule == nullptr) return;
        writer.Key("rule");
        return put_rule(writer, *evaluation.prefix, *evaluation.rule);
    }
    writer.Key("rules");
    writer.StartArray();
    for (const auto& [prefix, rule] : policy.rules) put_rule(writer, prefix, rule);
    writer.EndArray();
}

std::string people_text(const Explanation& explanation) {
    const Policy& policy = explanation.policy;
    std::string text;
    if (explanation.destination)
        text +=
            fmt::format("{}: {}\n", explanation.destination->text,
                        describe_verdict(policy, check_asked(policy, *explanation.destination)));
    else
        text += fmt::format("{}, block-host={}: {} rules, everything else is allowed\n{}",
                            explanation.container, mode_name(policy.mode), policy.rules.size(),
                            table_of(policy.rules));
    for (const std::string& unused : policy.unused_allow_rules) text += unused + "\n";
    if (!explanation.is_running) return text;
    if (!explanation.jail)
        return text + fmt::format("{} is not jailed: this is the policy that it would get\n",
                                  explanation.container);
    if (may_lead_to_host(explanation))
        text += "ports of that loopback lead to the host's (pasta -T or -U; host-loopback)\n";
    const JailSnapshot& jail = *explanation.jail;
    text += fmt::format("attached to cgroup {}: ", quote(jail.cgroup));
    if (explanation.differences.empty() && jail.policy->mode == policy.mode &&
        jail.policy->denial_error == policy.denial_error)
        return text + "the same policy\n";
    if (explanation.destination)
        text += describe_verdict(*jail.policy, check_asked(*jail.policy, *explanation.destination));
    else
        text += fmt::format("block-host={}", mode_name(jail.policy->mode));
    if (explanation.differences.empty()) return text + "\n";
    text += "\nnot the policy that it would get now:\n";
    for (const std::string& difference : explanation.differences)
        text += fmt::format("  {}\n", difference);
    return text;
}

// Does a wider rule deny the same destinations, but for the reason? Each interface of a container
// that starts gives the host a link-local address, and fe80::/10 is denied already.
bool is_decided_alike(const Rules& rules, const IpPrefix& prefix, const Rule& rule) {
    const Rule* wider = find_rule(rules, prefix);
    return wider != nullptr && wider->value.container_local == rule.value.container_local &&
           std::memcmp(wider->value.ports, rule.value.ports, sizeof rule.value.ports) == 0;
}

}  // namespace

std::vector<std::string> find_differences(const Rules& from, const Rules& to) {
    std::vector<std::string> differences;
    for (const auto& [prefix, rule] : to) {
        const auto other = from.find(prefix);
        if (other == from.end()) {
            if (!is_decided_alike(from, prefix, rule))
                differences.push_back(
                    fmt::format("+ {}: {}", prefix.to_string(), describe(rule.value)));
        } else if (std::memcmp(&other->second.value, &rule.value, sizeof rule.value) != 0) {
            differences.push_back(fmt::format("~ {}: {}, would be {}", prefix.to_string(),
                                              describe(other->second.value), describe(rule.value)));
        }
    }
    for (const auto& [prefix, rule] : from)
        if (!to.contains(prefix) && !is_decided_alike(to, prefix, rule))
            differences.push_back(
                fmt::format("- {}: {}", prefix.to_string(), describe(rule.value)));
    return differences;
}

std::string explain_to_people(const Explanation& explanation) {
    return printable(people_text(explanation), "\n");
}

std::string explain_to_machines(const Explanation& explanation) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    put(writer, "container", explanation.id.empty() ? explanation.container : explanation.id);
    if (explanation.destination) put(writer, "destination", explanation.destination->text);
    put_policy(writer, explanation.policy, explanation.destination);
    if (explanation.is_running) {
        writer.Key("jail");
        if (explanation.jail) {
            writer.StartObject();
            put(writer, "cgroup", explanation.jail->cgroup);
            put_policy(writer, *explanation.jail->policy, explanation.destination);
            put_all(writer, "differences", explanation.differences);
            writer.EndObject();
        } else {
            writer.Null();
        }
    }
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
